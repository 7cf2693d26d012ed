"""Who is behind a record, as far as the warehouse may know: pseudonyms, and the schema ``identity`` that alone holds names.

Belongs here: keys (``pseudonym``, ``ddl``), the tables of that schema (``tables``), one run over them (``resolve``, ``store``), what it has left
(``books``), and what people decide (``review``). Does not: how records of one person are found (``linkage``), grants (``warehouse``).
"""
