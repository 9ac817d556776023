"""People, households and cover, and what the departments know about them.

Gives the facts that a decision is made from; decides nothing.
"""
