"""Who is behind a record, as far as the warehouse may know: pseudonyms, and the schema ``identity`` that alone holds names.

Belongs here: keys, and tables of that schema. Does not: how records of one person are found (``linkage``), grants
(``warehouse``).
"""
