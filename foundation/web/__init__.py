"""What every page and API call stands on: who acts, the database, language, strict input, paging, downloads.

The application factory, sign-in and the rights table are in `webapp`; features import from here only.
"""
