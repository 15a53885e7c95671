;;; khoj-ls-notes.el --- Making and changing notes  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; The note of a day, a new note, and what else the server does to notes:
;; where they lie, what they are called and how links follow is its to know.

;;; Code:

(require 'khoj-ls-connection)
(require 'khoj-ls-edit)
(require 'khoj-ls-place)
(require 'khoj-ls-request)
(require 'khoj-ls-scope)
(require 'khoj-ls-search)
(require 'khoj-ls-sync)

(declare-function org-read-date "org"
                  (&optional with-time to-time from-string prompt default-time default-input
                             inactive))

;;;###autoload
(defun khoj-ls-daily (&optional day)
  "Show the daily note of today; with a prefix argument ask for the DAY.
It is made where it is not there, as the vault's tool keeps such notes."
  (interactive (list (and current-prefix-arg
                          (if (require 'org nil t)
                              (org-read-date)
                            (read-string "Day (2024-05-01): ")))))
  (khoj-ls-scope-prepare)
  (khoj-ls-edit-note :khoj/daily `(:day ,(or day "today"))))

;;;###autoload
(defun khoj-ls-daily-previous ()
  "Show the daily note before this one, or before today."
  (interactive)
  (khoj-ls-notes--neighbour "previous"))

;;;###autoload
(defun khoj-ls-daily-next ()
  "Show the daily note after this one, or after today."
  (interactive)
  (khoj-ls-notes--neighbour "next"))

(defun khoj-ls-notes--neighbour (day)
  "Show the daily note DAY, which is previous or next, as seen from here."
  (khoj-ls-scope-prepare)
  (let ((document (khoj-ls-scope-document)))
    (khoj-ls-edit-note :khoj/daily
                       `(:day ,day ,@(and document `(:textDocument ,document))))))

;;;###autoload
(defun khoj-ls-capture (title)
  "Make a note called TITLE and go there.
In a note an active region moves into it, and a link is left behind; that
of another buffer is copied."
  (interactive (list (read-string (if (use-region-p) "Title of the new note (empty: its first words): "
                                    "Title of the new note: "))))
  (khoj-ls-scope-prepare)
  (let ((document (khoj-ls-scope-document))
        (region (use-region-p)))
    (khoj-ls-edit-note
     :khoj/capture
     `(:title ,title
       ,@(cond ((and region document)
                (barf-if-buffer-read-only)
                `(:range ,(khoj-ls-range (region-beginning) (region-end))))
               (region
                `(:text ,(buffer-substring-no-properties (region-beginning) (region-end)))))
       ,@(and document `(:textDocument ,document))))))

;;;; Changes of this note

(defun khoj-ls-notes--here ()
  "This note and point as LSP parameters; an error where it cannot be changed."
  (barf-if-buffer-read-only)
  `(:textDocument ,(khoj-ls-document) :position ,(khoj-ls-position)))

;;;###autoload
(defun khoj-ls-extract ()
  "Make a note of the section at point and leave a link to it."
  (interactive "*")
  (khoj-ls-edit-note :khoj/extract (khoj-ls-notes--here)))

;;;###autoload
(defun khoj-ls-inline ()
  "Put the note that is linked at point in the place of the link, and delete it."
  (interactive "*")
  (let ((here (khoj-ls-notes--here)))
    (when (yes-or-no-p "Put the linked note here and delete its file? ")
      (khoj-ls-edit-note :khoj/inline here))))

;;;###autoload
(defun khoj-ls-refile ()
  "Move the section at point to another note of its format; links follow.
\\<khoj-ls-live-map>\\[khoj-ls-live-choose-other-window] puts it below the heading that was found there."
  (interactive "*")
  (let ((here (khoj-ls-notes--here)))
    (pcase-let ((`(,hit ,how) (khoj-ls-search-read "Move the section to: "
                                                     :type (if (derived-mode-p 'org-mode) "org" "markdown"))))
      (when hit
        (let ((heading (and how (car (last (append (plist-get hit :outline) nil))))))
          (khoj-ls-edit-note :khoj/refile
                             `(,@here :target ,(plist-get hit :uri)
                               ,@(and heading `(:heading ,heading)))))))))

;;;###autoload
(defun khoj-ls-insert-related ()
  "Write a section that lists related notes, or bring it up to date."
  (interactive "*")
  (khoj-ls-edit-note :khoj/relatedSection `(:textDocument ,(khoj-ls-document))))

;;;###autoload
(defun khoj-ls-insert-toc ()
  "Write a table of contents above the first section, or bring it up to date."
  (interactive "*")
  (khoj-ls-edit-note :khoj/toc `(:textDocument ,(khoj-ls-document))))

;;;###autoload
(defun khoj-ls-rename ()
  "Rename the note, heading, tag or id at point, with every link to it.
A file that is named after it is renamed, too."
  (interactive "*")
  (let* ((here (khoj-ls-notes--here))
         (what (khoj-ls-request :textDocument/prepareRename here))
         (range (or (plist-get what :range) what)))
    (unless range
      (khoj-ls-user-error "Nothing here can be renamed"))
    (let* ((old (or (plist-get what :placeholder)
                    (buffer-substring-no-properties (khoj-ls-point (plist-get range :start))
                                                    (khoj-ls-point (plist-get range :end)))))
           (new (read-string (format "Rename %s to: " old) old))
           (edit (khoj-ls-request :textDocument/rename `(,@here :newName ,new)))
           (changed (and edit (length (khoj-ls-apply-edit edit)))))
      (message "khoj-ls: renamed to %s%s" new
               (if (> (or changed 0) 1) (format "; %d notes were changed" changed) "")))))

(provide 'khoj-ls-notes)
;;; khoj-ls-notes.el ends here
