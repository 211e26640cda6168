"""The store on SQLite. Only `connection` knows aiosqlite, only `queries.sql` holds statements."""
