;;; khoj-ls-edit.el --- Edits that the server has planned  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; The server answers a request that changes notes with an edit, and with
;; the place to show.  The edit is made here: each buffer's part is one step
;; of undo, and nothing is changed where one of the notes cannot be.

;;; Code:

(require 'cl-lib)
(require 'khoj-ls-connection)
(require 'khoj-ls-place)
(require 'khoj-ls-request)

(defcustom khoj-ls-save-edited t
  "Whether notes that no buffer showed before an edit are saved after it.
Notes that a buffer shows are changed and not saved."
  :group 'khoj-ls
  :type 'boolean)

(defun khoj-ls-edit-note (method params)
  "Ask METHOD with PARAMS for a change of notes; make it and show the place.
Returns the markers of `khoj-ls-apply-edit', or nil where nothing changed."
  (let* ((result (khoj-ls-request method params))
         (edit (plist-get result :edit))
         (uri (plist-get result :uri)))
    (prog1 (and edit (khoj-ls-apply-edit edit))
      (when uri
        (khoj-ls-visit uri (plist-get result :position))))))

(defun khoj-ls-apply-edit (edit)
  "Make the LSP WorkspaceEdit EDIT.
Returns a list of (BUFFER . MARKER), the end of the last change in each note
whose text was changed.  Signals an error, and changes nothing, where a
note is read-only or in the way."
  (let ((changes (khoj-ls-edit--changes edit)))
    (mapc #'khoj-ls-edit--check changes)
    (let ((shown (cl-loop for change in changes
                          for path = (plist-get change :path)
                          when (and path (find-buffer-visiting path)) collect path))
          (ends nil))
      (dolist (change changes)
        (pcase (plist-get change :kind)
          ("create" (khoj-ls-edit--create (plist-get change :path)))
          ("rename" (khoj-ls-edit--rename (plist-get change :path) (plist-get change :new)))
          ("delete" (khoj-ls-edit--delete (plist-get change :path)))
          (_ (let* ((path (plist-get change :path))
                    (buffer (find-file-noselect path)))
               (with-current-buffer buffer
                 (push (cons buffer (khoj-ls-edit--text (plist-get change :edits))) ends)
                 (when (and khoj-ls-save-edited (not (member path shown)))
                   (let ((save-silently t))
                     (basic-save-buffer))))))))
      (nreverse ends))))

(defun khoj-ls-edit--changes (edit)
  "The changes of the WorkspaceEdit EDIT in order, each a property list.
:kind is create, rename, delete, or nil for :edits of the text of :path."
  (let ((ordered (plist-get edit :documentChanges)))
    (if (> (length ordered) 0)
        (mapcar
         (lambda (change)
           (pcase (plist-get change :kind)
             ("rename" (list :kind "rename"
                             :path (khoj-ls-uri-to-path (plist-get change :oldUri))
                             :new (khoj-ls-uri-to-path (plist-get change :newUri))))
             ((and kind (guard kind))
              (list :kind kind :path (khoj-ls-uri-to-path (plist-get change :uri))))
             (_ (list :path (khoj-ls-uri-to-path
                             (plist-get (plist-get change :textDocument) :uri))
                      :edits (plist-get change :edits)))))
         ordered)
      (cl-loop for (uri edits) on (plist-get edit :changes) by #'cddr
               collect (list :path (khoj-ls-uri-to-path (substring (symbol-name uri) 1))
                             :edits edits)))))

(defun khoj-ls-edit--check (change)
  "Signal an error where CHANGE cannot be made."
  (let* ((path (plist-get change :path))
         (new (plist-get change :new))
         (buffer (find-buffer-visiting path)))
    (cond
     ((and new (file-exists-p new))
      (khoj-ls-user-error "%s is there already; nothing was changed" (abbreviate-file-name new)))
     ((if buffer (buffer-local-value 'buffer-read-only buffer)
        (and (file-exists-p path) (not (file-writable-p path))))
      (khoj-ls-user-error "%s is read-only; nothing was changed" (abbreviate-file-name path)))
     ((and buffer (not (equal (plist-get change :kind) "create"))
           (not (verify-visited-file-modtime buffer)))
      (khoj-ls-user-error "%s has changed on disk since it was read: revert its buffer first; nothing was changed"
                  (abbreviate-file-name path))))))

(defun khoj-ls-edit--create (path)
  "Make the file PATH, empty, if it is not there."
  (unless (file-exists-p path)
    (make-directory (file-name-directory path) t)
    (write-region "" nil path nil 'silently nil 'excl)))

(defun khoj-ls-edit--rename (old new)
  "Rename the file OLD to NEW, and its buffer with it."
  (make-directory (file-name-directory new) t)
  (let ((buffer (find-buffer-visiting old)))
    (rename-file old new)
    (when buffer
      (with-current-buffer buffer
        (set-visited-file-name new t t)))))

(defun khoj-ls-edit--delete (path)
  "Delete the file PATH; its buffer stays, as a last copy, if it is modified."
  (let ((buffer (find-buffer-visiting path)))
    (when (file-exists-p path)
      (delete-file path delete-by-moving-to-trash))
    (when (and buffer (not (buffer-modified-p buffer)))
      (kill-buffer buffer))))

(defun khoj-ls-edit--text (edits)
  "Make the LSP TextEdits EDITS in the current buffer as one step of undo.
Returns a marker behind the last of them in the text."
  (let* ((unix (not (eq 1 (coding-system-eol-type buffer-file-coding-system))))
         (places (mapcar
                  (lambda (edit)
                    (let ((range (plist-get edit :range)))
                      (list (khoj-ls-point (plist-get range :start))
                            (khoj-ls-point (plist-get range :end))
                            (if unix (plist-get edit :newText)
                              (string-replace "\r\n" "\n" (plist-get edit :newText))))))
                  edits))
         ;; The last place first, so that the others stay where they are; of
         ;; several at one place the last, as they stand in that order (LSP).
         (ordered (sort (reverse places) (lambda (a b) (> (car a) (car b)))))
         (group (progn (undo-boundary) (prepare-change-group)))
         (end nil))
    (save-excursion
      (save-restriction
        (widen)
        (pcase-dolist (`(,from ,to ,text) ordered)
          (goto-char from)
          (delete-region from to)
          (insert text)
          (unless end
            (setq end (point-marker))))))
    (undo-amalgamate-change-group group)
    (or end (point-marker))))

(provide 'khoj-ls-edit)
;;; khoj-ls-edit.el ends here
