"""The schema's history (Alembic), and the list of all tables and guards, which are made again after every migration."""
