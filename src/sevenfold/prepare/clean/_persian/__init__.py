"""The rules of the step ``persian``, one kind a file.

Sources: the Academy of Persian Language and Literature, *Dastur-e khatt-e Farsi* (which letters, which half-spaces);
the Unicode Standard, chapter 9.2 (Arabic); the open normaliser hazm, for which affixes are put right in practice.
"""
