"""What every other package stands on: money, time, identifiers, errors, the database, sealing, the trail, files.

Promises nothing about insurance. Imports no other package of the project.
"""
