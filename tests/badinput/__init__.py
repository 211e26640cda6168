"""Rubbish and malice at every door: a typed error, nothing stored, nobody disturbed."""
