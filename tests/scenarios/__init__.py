"""End-to-end cases: YAML workflows, scripted activities, the real engine on a real store."""
