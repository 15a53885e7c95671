;;; khoj-ls.el --- Search, chat and links over your notes  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; Author: The khoj_ls authors
;; Maintainer: The khoj_ls authors
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1"))
;; Keywords: hypermedia, outlines, matching, convenience
;; URL: https://github.com/khoj-ls/khoj-ls

;; SPDX-License-Identifier: MIT

;; Permission is hereby granted, free of charge, to any person obtaining a
;; copy of this software and associated documentation files (the "Software"),
;; to deal in the Software without restriction, including without limitation
;; the rights to use, copy, modify, merge, publish, distribute, sublicense,
;; and/or sell copies of the Software, and to permit persons to whom the
;; Software is furnished to do so, subject to the following conditions:
;;
;; The above copyright notice and this permission notice shall be included in
;; all copies or substantial portions of the Software.
;;
;; THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
;; IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
;; FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT.  IN NO EVENT SHALL
;; THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
;; LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING
;; FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER
;; DEALINGS IN THE SOFTWARE.

;;; Commentary:

;; Search your Org, Markdown and text notes by words and by meaning, see what
;; belongs to what you read, follow and insert links, and ask your notes
;; questions - from any buffer, without uploading a line.
;;
;; The work is done by the program `khoj-ls' (pipx install khoj-ls).
;;
;;   (require 'khoj-ls)
;;   (setq khoj-ls-folders '("~/notes"))
;;   (khoj-ls-setup)               ; keys, links, Eglot and lsp-mode
;;   (global-set-key (kbd "C-c k") #'khoj-ls-menu)
;;
;; Nothing is started and nothing is sent by loading this.

;;; Code:

(require 'khoj-ls-connection)
(require 'khoj-ls-place)
(require 'khoj-ls-scope)

;; The rest is loaded when it is first used: an Emacs that only shows notes
;; starts as fast as before.
(dolist (each '(("khoj-ls-chat" khoj-ls-ask-region khoj-ls-chat)
                ("khoj-ls-conversations" khoj-ls-chat-continue khoj-ls-chat-delete
                 khoj-ls-chat-model khoj-ls-chat-persona khoj-ls-chat-rename)
                ("khoj-ls-hover" khoj-ls-hover)
                ("khoj-ls-links" khoj-ls-backlinks khoj-ls-broken-links khoj-ls-follow-link
                 khoj-ls-insert-link khoj-ls-markdown-follow khoj-ls-mentions)
                ("khoj-ls-menu" khoj-ls-chat-menu khoj-ls-menu)
                ("khoj-ls-notes" khoj-ls-capture khoj-ls-daily khoj-ls-daily-next
                 khoj-ls-daily-previous khoj-ls-extract khoj-ls-inline khoj-ls-insert-related
                 khoj-ls-insert-toc khoj-ls-refile khoj-ls-rename)
                ("khoj-ls-related" khoj-ls-related)
                ("khoj-ls-search" khoj-ls-search)
                ("khoj-ls-status" khoj-ls-pause khoj-ls-reindex khoj-ls-resume khoj-ls-status
                 khoj-ls-why)))
  (dolist (command (cdr each))
    (autoload command (car each) nil t)))
(declare-function khoj-ls-menu "khoj-ls-menu")
(autoload 'khoj-ls-eldoc-function "khoj-ls-hover")
(autoload 'khoj-ls-org-open-at-point "khoj-ls-links")
(autoload 'khoj-ls-xref-backend "khoj-ls-links")

(defcustom khoj-ls-keymap-prefix "C-c n"
  "The key in notes under which `khoj-ls-command-map' is, as for `kbd'.
Set it before `khoj-ls-mode' is first turned on; nil binds none."
  :group 'khoj-ls
  :type '(choice (const :tag "None" nil) string))

(defcustom khoj-ls-hover t
  "Whether what is known of the thing at point is shown by Eldoc."
  :group 'khoj-ls
  :type 'boolean)

(defcustom khoj-ls-follow-links t
  "Whether links are followed by the server in notes.
By `org-open-at-point' links by name and id, by
`markdown-follow-thing-at-point' all that lead to notes."
  :group 'khoj-ls
  :type 'boolean)

(defvar khoj-ls-command-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "s") #'khoj-ls-search)
    (define-key map (kbd "r") #'khoj-ls-related)
    (define-key map (kbd "b") #'khoj-ls-backlinks)
    (define-key map (kbd ".") #'khoj-ls-hover)
    (define-key map (kbd "f") #'khoj-ls-follow-link)
    (define-key map (kbd "l") #'khoj-ls-insert-link)
    (define-key map (kbd "c") #'khoj-ls-chat)
    (define-key map (kbd "a") #'khoj-ls-ask-region)
    (define-key map (kbd "h") #'khoj-ls-chat-continue)
    (define-key map (kbd "n") #'khoj-ls-capture)
    (define-key map (kbd "d") #'khoj-ls-daily)
    (define-key map (kbd "[") #'khoj-ls-daily-previous)
    (define-key map (kbd "]") #'khoj-ls-daily-next)
    (define-key map (kbd "R") #'khoj-ls-rename)
    (define-key map (kbd "i") #'khoj-ls-status)
    (define-key map (kbd "?") #'khoj-ls-menu)
    map)
  "The commands of khoj-ls, to be bound to a prefix.")
(fset 'khoj-ls-command-map khoj-ls-command-map)

(defvar khoj-ls-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map [remap markdown-follow-thing-at-point] #'khoj-ls-markdown-follow)
    map)
  "Keys in notes.")

;;;###autoload
(define-minor-mode khoj-ls-mode
  "Know what belongs to a note: hovers that open, links that lead, commands.
\\{khoj-ls-mode-map}"
  :lighter " khoj"
  :keymap khoj-ls-mode-map
  (if khoj-ls-mode
      (khoj-ls--turn-on)
    (khoj-ls--turn-off)))

(defvar org-open-at-point-functions)

(defun khoj-ls--turn-on ()
  "Set the current buffer up as a note."
  (when khoj-ls-keymap-prefix
    (define-key khoj-ls-mode-map (kbd khoj-ls-keymap-prefix) 'khoj-ls-command-map))
  (when khoj-ls-hover
    (add-hook 'eglot-managed-mode-hook #'khoj-ls--one-hover nil t)
    (khoj-ls--one-hover)
    (eldoc-mode 1))
  (add-hook 'xref-backend-functions #'khoj-ls-xref-backend nil t)
  (when (and khoj-ls-follow-links (derived-mode-p 'org-mode))
    (add-hook 'org-open-at-point-functions #'khoj-ls-org-open-at-point nil t)))

(defun khoj-ls--turn-off ()
  "Take away from the current buffer what `khoj-ls--turn-on' has set up."
  (remove-hook 'eldoc-documentation-functions #'khoj-ls-eldoc-function t)
  (remove-hook 'eglot-managed-mode-hook #'khoj-ls--one-hover t)
  (remove-hook 'xref-backend-functions #'khoj-ls-xref-backend t)
  (remove-hook 'org-open-at-point-functions #'khoj-ls-org-open-at-point t))

(declare-function eglot-current-server "eglot")

(defun khoj-ls--one-hover ()
  "Where Eglot runs the same server, have it tell of the thing at point only once.
Ours is drawn with links that open."
  (when (and (fboundp 'eglot-current-server)
             (when-let ((server (eglot-current-server)))
               (eq 'khoj-ls-eglot-server (eieio-object-class-name server))))
    (remove-hook 'eldoc-documentation-functions 'eglot-hover-eldoc-function t))
  ;; Some versions of Eglot put their functions in the place of all others.
  (add-hook 'eldoc-documentation-functions #'khoj-ls-eldoc-function nil t))

(defun khoj-ls--turn-on-in-notes ()
  "Turn `khoj-ls-mode' on where the current buffer is a note."
  (when (khoj-ls-scope-note-p)
    (khoj-ls-mode 1)))

;;;###autoload
(define-globalized-minor-mode khoj-ls-global-mode khoj-ls-mode
  khoj-ls--turn-on-in-notes
  :group 'khoj-ls)

(declare-function khoj-ls-eglot-register "khoj-ls-eglot")
(declare-function khoj-ls-lsp-register "khoj-ls-lsp")

;;;###autoload
(defun khoj-ls-setup ()
  "Set khoj-ls up in notes, in Eglot and in `lsp-mode'.
Turns `khoj-ls-global-mode' on.  Eglot then starts the server in notes by
\\[eglot], `lsp-mode' by \\[lsp], beside other servers; neither is needed.
Nothing is started by this."
  (interactive)
  (add-hook 'after-load-functions #'khoj-ls--register)
  (khoj-ls--register)
  (khoj-ls-global-mode 1))

(defun khoj-ls--register (&rest _)
  "Make the server known to the language clients that are loaded."
  (when (and (featurep 'eglot) (not (featurep 'khoj-ls-eglot)))
    (require 'khoj-ls-eglot)
    (khoj-ls-eglot-register))
  (when (and (featurep 'lsp-mode) (not (featurep 'khoj-ls-lsp)))
    (require 'khoj-ls-lsp)
    (khoj-ls-lsp-register)))

(provide 'khoj-ls)
;;; khoj-ls.el ends here
