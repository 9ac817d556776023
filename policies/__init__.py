"""The master policy as dated, cited data, and the arithmetic of its benefits.

Says what a policy gives on a day; knows no household and no claim.
"""
