"""The rules of the step ``persian``, one kind a file.

Sources: the Academy of Persian Language and Literature, *Dastur-e khatt-e Farsi* (which letters, which half-spaces);
the Unicode Standard, chapter 9.2 (Arabic); the open normalisers hazm and Parsivar, for what is put right in practice.
"""
