"""
What pages and deeds cost, in CPU milliseconds of web process and PostgreSQL, beside floors measured in the same rounds.

A floor is the least that the same answer could cost: a bare Django view, a view with only the SQL. Floors are no part
of the product; their settings and addresses are here.
"""
