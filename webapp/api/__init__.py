"""The API under `/api/v1`: how it is put together, its problems, its kept answers, and the resources of the webapp."""
