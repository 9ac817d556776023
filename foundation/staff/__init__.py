"""The people who work with the system: natural persons, their accounts, roles with places and dates, and limits."""
