;;; khoj-ls-hover.el --- What the server tells of the thing at point  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Of a link the beginning of what it leads to; of a heading what links there
;; and what is related.  The server writes a little Markdown, which is drawn
;; here so that each link is a button that opens the note at its line.

;;; Code:

(require 'khoj-ls-connection)
(require 'khoj-ls-place)
(require 'khoj-ls-request)
(require 'khoj-ls-sync)

(defface khoj-ls-code '((t :inherit fixed-pitch))
  "Face of blocks of code in what is told." :group 'khoj-ls)

(defconst khoj-ls-hover--inline
  (rx (or (seq "\\" (group-n 1 punct))
          (seq (opt "!") "[" (group-n 2 (* (or (seq "\\" nonl) (not (any "]\\\n"))))) "]"
               "(" (group-n 3 (+ (not (any ")\n ")))) ")")
          (seq "**" (group-n 4 (+? (or (seq "\\" nonl) (not (any "\\\n"))))) "**")))
  "An escaped sign, a link, or strong words.")

(defvar khoj-ls-hover-link-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'khoj-ls-hover-open)
    (define-key map [mouse-1] #'khoj-ls-hover-open)
    (define-key map [mouse-2] #'khoj-ls-hover-open)
    (define-key map [follow-link] 'mouse-face)
    map)
  "Keys on links in what is told.")

(defun khoj-ls-hover-draw (markdown)
  "The MARKDOWN of a hover as text with faces and links that open."
  (let ((code nil) (lines nil))
    (dolist (line (split-string markdown "\n"))
      (cond
       (code (if (string-prefix-p code line)
                 (setq code nil)
               (push (propertize line 'face 'khoj-ls-code) lines)))
       ((string-match "\\`\\(```+\\|~~~+\\)" line) (setq code (match-string 1 line)))
       ((equal line "---") (push (propertize "────" 'face 'shadow) lines))
       (t (push (khoj-ls-hover--line (string-trim-right line)) lines))))
    (replace-regexp-in-string "\n\n\n+" "\n\n" (string-join (nreverse lines) "\n"))))

(defun khoj-ls-hover--line (line)
  "LINE of Markdown as text with faces and links."
  (let ((at 0) (pieces nil))
    (while (string-match khoj-ls-hover--inline line at)
      (let ((end (match-end 0)) (sign (match-string 1 line))
            (words (match-string 2 line)) (uri (match-string 3 line))
            (strong (match-string 4 line)))
        (push (substring line at (match-beginning 0)) pieces)
        (push (cond (sign sign)
                    (uri (khoj-ls-hover--link (khoj-ls-hover--plain words) uri))
                    (t (propertize (khoj-ls-hover--plain strong) 'face 'bold)))
              pieces)
        (setq at end)))
    (push (substring line at) pieces)
    (string-join (nreverse pieces))))

(defun khoj-ls-hover--plain (text)
  "TEXT without the signs that escape others."
  (replace-regexp-in-string "\\\\\\([[:punct:]]\\)" "\\1" text))

(defun khoj-ls-hover--link (words uri)
  "WORDS that open URI."
  (propertize words
              'face 'link 'mouse-face 'highlight
              'keymap khoj-ls-hover-link-map
              'khoj-ls-uri uri
              'button t 'category 'default-button
              'help-echo (concat "RET, mouse-1: " (abbreviate-file-name (khoj-ls-uri-to-path uri)))))

(defun khoj-ls-hover-open (&optional event)
  "Open the link at point, or that of the mouse EVENT."
  (interactive (list last-nonmenu-event))
  (when (mouse-event-p event)
    (select-window (posn-window (event-start event)))
    (goto-char (posn-point (event-start event))))
  (let ((uri (get-text-property (point) 'khoj-ls-uri)))
    (unless uri (khoj-ls-user-error "No link is here"))
    (when (window-dedicated-p)
      (other-window 1))
    (khoj-ls-open-url uri)))

(defun khoj-ls-hover--text (hover)
  "The text of the LSP HOVER, drawn; nil where it is empty."
  (let ((text (plist-get (plist-get hover :contents) :value)))
    (and text (not (string-blank-p text)) (khoj-ls-hover-draw text))))

(defun khoj-ls-eldoc-function (callback &rest _)
  "For `eldoc-documentation-functions': give CALLBACK what is told of point."
  (when (and (khoj-ls-local-file) (khoj-ls-connection-quiet-p))
    (let ((buffer (current-buffer)) (point (point)))
      (khoj-ls-request-async
       :textDocument/hover
       `(:textDocument ,(khoj-ls-document) :position ,(khoj-ls-position))
       (lambda (hover)
         (when (and (buffer-live-p buffer)
                    (eq point (with-current-buffer buffer (point))))
           (with-current-buffer buffer
             (funcall callback (khoj-ls-hover--text hover)))))
       #'ignore))
    t))

(defvar khoj-ls-hover-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") #'forward-button)
    (define-key map (kbd "<backtab>") #'backward-button)
    (define-key map (kbd "n") #'forward-button)
    (define-key map (kbd "p") #'backward-button)
    map)
  "Keys where it is told what is at point.")

(define-derived-mode khoj-ls-hover-mode special-mode "khoj-ls"
  "What the server tells of the thing at point; its links open.
\\{khoj-ls-hover-mode-map}"
  (setq-local word-wrap t truncate-lines nil truncate-partial-width-windows nil))

;;;###autoload
(defun khoj-ls-hover ()
  "Show what is known of the link, heading or tag at point, in a window.
There RET opens a link, TAB goes to the next and q closes the window."
  (interactive)
  (let ((text (khoj-ls-hover--text
               (khoj-ls-request
                :textDocument/hover
                `(:textDocument ,(khoj-ls-document) :position ,(khoj-ls-position))))))
    (if (not text)
        (message "khoj-ls: nothing is known of what is here: go to a link, a heading or a tag")
      (with-current-buffer (get-buffer-create "*khoj-ls hover*")
        (let ((inhibit-read-only t))
          (erase-buffer)
          (insert text "\n"))
        (khoj-ls-hover-mode)
        (goto-char (point-min))
        (unless (button-at (point))
          (ignore-error user-error (forward-button 1)))
        (pop-to-buffer (current-buffer))))))

(provide 'khoj-ls-hover)
;;; khoj-ls-hover.el ends here
