"""The labelling page: one page in the browser, and the small server on this machine that keeps its answers."""
