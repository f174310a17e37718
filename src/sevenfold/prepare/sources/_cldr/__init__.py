"""What the source ``cldr`` is made of: items that both languages can write, and the ways to ask for them.

``pair`` holds the two languages, ``items`` an item with its writings, ``names``, ``dates`` and ``numbers`` make the
items, ``words`` spells numbers, ``asking`` has the instructions, ``deal`` shares the rows among the kinds.
"""
