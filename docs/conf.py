"""How `make docs` makes a site of the pages: whatever is linked has to be there.

The pages are plain Markdown that reads well where the repository is looked at; nothing in them is
Sphinx's own. The list of links in index.md is the site's table of contents.
"""

from __future__ import annotations

import re
from typing import Any

project = "clv-sync"
html_title = "clv-sync"
root_doc = "docs/index"
extensions = ["myst_parser"]
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "docs/*.md",
    "magento-module/README.md",
]
exclude_patterns = ["build", ".git", ".venv*", ".clv", "**/.*"]
myst_heading_anchors = 4
nitpicky = True
highlight_language = "text"

html_theme = "pydata_sphinx_theme"
html_static_path = ["style"]
html_css_files = ["pages.css"]
html_copy_source = False
html_sidebars = {"**": ["globaltoc.html"]}
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "logo": {"text": "clv-sync"},
    "navigation_with_keys": False,
    "header_links_before_dropdown": 0,
    "navbar_center": [],
    "navbar_persistent": [],
    "navbar_end": ["search-button-field", "theme-switcher"],
    "primary_sidebar_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "collapse_navigation": False,
    "show_prev_next": True,
    "footer_start": [],
    "footer_center": [],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def contents(app: Any, page: str, source: list[str]) -> None:
    """The index's own links as Sphinx's table of contents, in their order."""
    if page == root_doc:
        linked = re.findall(r"^- \[[^]]+\]\(([\w./-]+)\.md\)", source[0], re.M)
        pages = [f"/{one[3:]}" if one.startswith("../") else f"/docs/{one}" for one in linked]
        source[0] += "\n```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", contents)
    return {"parallel_read_safe": True}
