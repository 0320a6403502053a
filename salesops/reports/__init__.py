"""The report factory around papermill: notebooks in, shareable pages out."""
