"""Figures, documents and PDFs. Prints recorded decisions and payments; works none of them out again.

The only importer of WeasyPrint.
"""
