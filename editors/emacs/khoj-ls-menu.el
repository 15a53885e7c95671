;;; khoj-ls-menu.el --- Menus of all that khoj-ls does  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; `khoj-ls-menu' shows every command; `khoj-ls-chat-menu' those of a chat.

;;; Code:

(require 'transient)
(require 'khoj-ls-chat)
(require 'khoj-ls-conversations)
(require 'khoj-ls-hover)
(require 'khoj-ls-links)
(require 'khoj-ls-notes)
(require 'khoj-ls-related)
(require 'khoj-ls-search)
(require 'khoj-ls-status)

;;;###autoload (autoload 'khoj-ls-menu "khoj-ls-menu" nil t)
(transient-define-prefix khoj-ls-menu ()
  "All that khoj-ls does with your notes."
  [["Find"
    ("s" "Search" khoj-ls-search)
    ("r" "Related, beside" khoj-ls-related)
    ("b" "Backlinks" khoj-ls-backlinks)
    ("m" "Unlinked mentions" khoj-ls-mentions)
    ("." "What is here" khoj-ls-hover)
    ("f" "Follow link" khoj-ls-follow-link)]
   ["Write"
    ("l" "Insert link" khoj-ls-insert-link)
    ("n" "New note" khoj-ls-capture)
    ("d" "Daily note" khoj-ls-daily)
    ("[" "Day before" khoj-ls-daily-previous)
    ("]" "Day after" khoj-ls-daily-next)]
   ["Chat"
    ("c" "New chat" khoj-ls-chat)
    ("a" "Ask about region" khoj-ls-ask-region)
    ("h" "Kept conversations" khoj-ls-chat-continue)
    ("p" "Persona" khoj-ls-chat-persona)
    ("M" "Model" khoj-ls-chat-model)]]
  [["Change this note"
    ("R" "Rename, links follow" khoj-ls-rename)
    ("x" "Extract section" khoj-ls-extract)
    ("w" "Move section" khoj-ls-refile)
    ("I" "Inline linked note" khoj-ls-inline)
    ("L" "List related notes" khoj-ls-insert-related)
    ("T" "Table of contents" khoj-ls-insert-toc)]
   ["Index"
    ("i" "Status" khoj-ls-status)
    ("u" "Bring up to date" khoj-ls-reindex)
    ("W" "Why is this indexed" khoj-ls-why)
    ("B" "Broken links" khoj-ls-broken-links)
    ("X" "Restart connection" khoj-ls-restart)]])

;;;###autoload (autoload 'khoj-ls-chat-menu "khoj-ls-menu" nil t)
(transient-define-prefix khoj-ls-chat-menu ()
  "What can be done in a chat."
  [["Answer"
    ("c" "Ask" khoj-ls-chat-send)
    ("s" "Stop" khoj-ls-chat-stop)
    ("r" "Ask again" khoj-ls-chat-retry)]
   ["Who answers"
    ("p" "Persona" khoj-ls-chat-persona)
    ("m" "Model" khoj-ls-chat-model)]
   ["Conversation"
    ("n" "New chat" khoj-ls-chat)
    ("h" "Kept conversations" khoj-ls-chat-continue)
    ("t" "Title" khoj-ls-chat-rename)
    ("D" "Delete" khoj-ls-chat-delete)]])

(provide 'khoj-ls-menu)
;;; khoj-ls-menu.el ends here
