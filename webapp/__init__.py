"""The shell: command line, Celery application, configuration. Later the web pages."""
