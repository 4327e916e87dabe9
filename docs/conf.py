"""For Sphinx, which tools/htmldocs.py calls: it says the version, and adds the pages that are generated."""

project = "amtkit"
author = "the amtkit authors"
copyright = "2026, the amtkit authors"  # noqa: A001 (Sphinx calls it so)

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["performance/README.md"]
myst_heading_anchors = 4
# A commit's date is no part of a page: two builds give the same octets.
html_last_updated_fmt = None
html_theme = "alabaster"
html_theme_options = {"description": "Automatic Multicast Tunneling", "fixed_sidebar": True, "page_width": "72em",
                      "sidebar_width": "16em"}
html_show_sourcelink = False
html_copy_source = False
highlight_language = "none"
nitpicky = True
