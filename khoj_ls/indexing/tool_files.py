"""Files that tools keep among sources and notes for themselves: settings and locks in formats that notes have as well.

They are left out so that a repository with notes in it is not flooded by them. A line such as `!package.json` in
`.khojignore` or in the setting `index.ignore` brings one back.
"""

from __future__ import annotations

TOOL_FILES = (
    # Locks: which versions are installed.
    "package-lock.json",
    "npm-shrinkwrap.json",
    "packages.lock.json",
    "pnpm-lock.yaml",
    "conda-lock.yml",
    "*.lock.json",
    "*.lock.toml",
    "*.lock.yaml",
    # What a package is made of.
    "package.json",
    "bower.json",
    "composer.json",
    "deno.json",
    "lerna.json",
    "manifest.json",
    "pnpm-workspace.yaml",
    "pubspec.yaml",
    "environment.yml",
    "Cargo.toml",
    "pyproject.toml",
    # Settings of compilers, linters, builders, hosts.
    "angular.json",
    "appsettings*.json",
    "babel.config.json",
    "biome.json",
    "firebase.json",
    "jsconfig*.json",
    "launchSettings.json",
    "nx.json",
    "renovate.json",
    "tsconfig*.json",
    "tslint.json",
    "turbo.json",
    "vercel.json",
    "_config.yml",
    "appveyor.yml",
    "azure-pipelines.yml",
    "codecov.yml",
    "compose.yaml",
    "compose.yml",
    "docker-compose*.yaml",
    "docker-compose*.yml",
    "mkdocs.yml",
    "book.toml",
    "clippy.toml",
    "fly.toml",
    "netlify.toml",
    "poetry.toml",
    "ruff.toml",
    "rustfmt.toml",
    "uv.toml",
    "wrangler.toml",
    # What installing leaves behind.
    "*.dist-info/",
    "*.egg-info/",
    "bower_components/",
    "site-packages/",
    "venv/",
)
"""Patterns, in .gitignore syntax."""
