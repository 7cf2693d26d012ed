"""Whether what landed can be trusted: the questions (``questions``, plain SQL) and the Dagster checks that ask them."""
