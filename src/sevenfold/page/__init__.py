"""Pages in the browser on which people answer: a server on this machine, its style and script, the answers it keeps.

Who asks something has a folder with ``page.html``, ``page.js`` and ``page.css``, a :class:`sevenfold.page.desk.Desk`
that knows what is asked, and answers of its own kind in a :class:`sevenfold.page.answers.Log`.
"""
