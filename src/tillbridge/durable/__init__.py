"""The floor: PostgreSQL, migrations, the log, cursors, parking, jobs, schedules."""
