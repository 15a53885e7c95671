;;; khoj-ls-related.el --- Notes like what you are reading  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; A window at the side that follows point: passages of other notes that are
;; like the section you are in.

;;; Code:

(require 'cl-lib)
(require 'khoj-ls-connection)
(require 'khoj-ls-place)
(require 'khoj-ls-request)
(require 'khoj-ls-scope)
(require 'khoj-ls-search)
(require 'khoj-ls-sync)

(defcustom khoj-ls-related-limit 10
  "Number of related passages that are shown (1 to 100)."
  :group 'khoj-ls
  :type 'natnum)

(defcustom khoj-ls-related-delay 0.3
  "Seconds that Emacs is idle before related notes are looked up."
  :group 'khoj-ls
  :type 'number)

(defcustom khoj-ls-related-window
  '((display-buffer-in-side-window)
    (side . right)
    (window-width . 0.33)
    (window-parameters (no-delete-other-windows . t)))
  "How the window is shown: an action for `display-buffer'."
  :group 'khoj-ls
  :type 'sexp)

(defconst khoj-ls-least-related 0.1
  "Notes that are less like a place than this are not shown as related.
Scores go from 0 to 1.")

(defconst khoj-ls-related--buffer "*khoj-ls related*")

(defvar khoj-ls-related--timer nil "Looks where point is.")
(defvar khoj-ls-related--place nil "What is shown: (BUFFER LINE TICK).")
(defvar khoj-ls-related--call nil "The question that is under way.")
(defvar-local khoj-ls-related--source nil "The buffer whose relatives are shown.")

(defvar khoj-ls-related-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'khoj-ls-related-open)
    (define-key map (kbd "o") #'khoj-ls-related-open-other-window)
    (define-key map [mouse-1] #'khoj-ls-related-open)
    (define-key map (kbd "l") #'khoj-ls-related-link)
    (define-key map (kbd "n") #'khoj-ls-related-next)
    (define-key map (kbd "p") #'khoj-ls-related-previous)
    (define-key map (kbd "TAB") #'khoj-ls-related-next)
    (define-key map (kbd "<backtab>") #'khoj-ls-related-previous)
    map)
  "Keys in the window of related notes.")

(define-derived-mode khoj-ls-related-mode special-mode "Related"
  "Passages of other notes that are like what you are reading.
\\{khoj-ls-related-mode-map}"
  (setq-local truncate-lines nil word-wrap t truncate-partial-width-windows nil
              revert-buffer-function (lambda (&rest _) (khoj-ls-related--look t)))
  (add-hook 'kill-buffer-hook #'khoj-ls-related--stop nil t))

;;;###autoload
(defun khoj-ls-related ()
  "Show, in a window that follows point, notes like what you are reading.
Where it is shown already it is closed."
  (interactive)
  (let ((window (get-buffer-window khoj-ls-related--buffer)))
    (if window
        (progn (delete-window window)
               (khoj-ls-related--stop))
      (when (khoj-ls-local-file)
        (khoj-ls-scope-prepare))
      (khoj-ls-connect)
      (with-current-buffer (get-buffer-create khoj-ls-related--buffer)
        (unless (derived-mode-p 'khoj-ls-related-mode)
          (khoj-ls-related-mode))
        (khoj-ls-related--write nil "Go to a note"))
      (display-buffer khoj-ls-related--buffer khoj-ls-related-window)
      (setq khoj-ls-related--place nil)
      (unless khoj-ls-related--timer
        (setq khoj-ls-related--timer
              (run-with-idle-timer khoj-ls-related-delay t #'khoj-ls-related--look)))
      (add-hook 'khoj-ls-notification-functions #'khoj-ls-related--told)
      (add-hook 'khoj-ls-connected-hook #'khoj-ls-related--again)
      (khoj-ls-related--look t))))

(defun khoj-ls-related--stop ()
  "Follow point no more."
  (when khoj-ls-related--timer
    (cancel-timer khoj-ls-related--timer)
    (setq khoj-ls-related--timer nil))
  (remove-hook 'khoj-ls-notification-functions #'khoj-ls-related--told)
  (remove-hook 'khoj-ls-connected-hook #'khoj-ls-related--again)
  (khoj-ls-cancel khoj-ls-related--call))

(defun khoj-ls-related--told (method _params)
  "Look again when METHOD says that notes have changed."
  (when (eq method 'khoj/indexChanged)
    (khoj-ls-related--again)))

(defun khoj-ls-related--again ()
  "Look again soon: what is shown may not hold any more."
  (run-at-time 0 nil #'khoj-ls-related--look t))

(defun khoj-ls-related--look (&optional again)
  "Look up what is like the place of point, where that is another, or AGAIN."
  (when (get-buffer-window khoj-ls-related--buffer t)
    (let ((buffer (khoj-ls-related--note)))
      (when buffer
        (with-current-buffer buffer
          (let* ((point (window-point (or (get-buffer-window buffer) (selected-window))))
                 (place (list buffer (line-number-at-pos point t) (buffer-chars-modified-tick))))
            (when (and (or again (not (equal place khoj-ls-related--place)))
                       (khoj-ls-connection-quiet-p))
              (setq khoj-ls-related--place place)
              (khoj-ls-related--ask buffer point))))))))

(defun khoj-ls-related--note ()
  "The buffer to look at: the selected window's, or that which is shown already."
  (let ((selected (window-buffer (selected-window)))
        (shown (and (get-buffer khoj-ls-related--buffer)
                    (buffer-local-value 'khoj-ls-related--source
                                        (get-buffer khoj-ls-related--buffer)))))
    (cond ((khoj-ls-related--note-p selected) selected)
          ((and (buffer-live-p shown) (get-buffer-window shown)) shown))))

(defun khoj-ls-related--note-p (buffer)
  "Whether BUFFER is a note."
  (with-current-buffer buffer
    (and (khoj-ls-local-file)
         (derived-mode-p 'org-mode 'markdown-mode 'text-mode))))

(defun khoj-ls-related--ask (buffer point)
  "Ask what is like the place of POINT in BUFFER, and show it."
  (khoj-ls-cancel khoj-ls-related--call)
  (setq khoj-ls-related--call
        (with-current-buffer buffer
          (khoj-ls-request-async
           :khoj/related
           `(:textDocument ,(khoj-ls-document) :position ,(khoj-ls-position point)
             :limit ,(max 1 (min 100 khoj-ls-related-limit)))
           (lambda (result) (khoj-ls-related--show buffer result))
           (lambda (problem)
             (khoj-ls-related--write buffer (khoj-ls-error-text problem)))))))

(defun khoj-ls-related--show (buffer result)
  "Show RESULT, which is about BUFFER."
  (let ((hits (cl-remove-if (lambda (hit) (< (plist-get hit :score) khoj-ls-least-related))
                            (append (plist-get result :hits) nil))))
    (khoj-ls-related--write buffer
                            (cond ((eq t (plist-get result :degraded))
                                   (khoj-ls-search-note result))
                                  ((null hits) khoj-ls-no-related))
                            hits)))

(defun khoj-ls-related--write (source note &optional hits)
  "Write HITS, related to the buffer SOURCE, with NOTE above them if non-nil."
  (when-let ((buffer (get-buffer khoj-ls-related--buffer)))
    (with-current-buffer buffer
      (let* ((inhibit-read-only t)
             (window (get-buffer-window buffer t))
             (line (line-number-at-pos (if window (window-point window) (point)))))
        (setq khoj-ls-related--source source
              header-line-format
              (if source (format " Related to %s" (buffer-name source)) " Related"))
        (erase-buffer)
        (when note
          (insert (propertize note 'face 'shadow) "\n\n"))
        (dolist (hit hits)
          (khoj-ls-related--insert hit))
        (goto-char (point-min))
        (forward-line (1- line))
        (when window
          (set-window-point window (point)))))))

(defun khoj-ls-related--insert (hit)
  "Write HIT."
  (let ((start (point)))
    (insert (khoj-ls-search-score hit) " "
            (propertize (khoj-ls-heading-path hit) 'face 'link)
            (if (eq t (plist-get hit :linked))
                (propertize "  linked" 'face 'shadow)
              "")
            "\n"
            (khoj-ls-search-where hit) "\n"
            (khoj-ls-search-snippet hit) "\n\n")
    (put-text-property start (point) 'khoj-ls-hit hit)
    (put-text-property start (1+ start) 'khoj-ls-first t)
    (put-text-property start (1- (point)) 'mouse-face 'highlight)))

(defun khoj-ls-related--hit (&optional event)
  "The hit at point or at the mouse EVENT; an error where none is."
  (or (get-text-property (if (mouse-event-p event) (posn-point (event-start event)) (point))
                         'khoj-ls-hit)
      (khoj-ls-user-error "No note is here")))

(defun khoj-ls-related--window ()
  "Select the window of the note that the list is about, or another."
  (let ((window (and (buffer-live-p khoj-ls-related--source)
                     (get-buffer-window khoj-ls-related--source))))
    (select-window (or window (get-mru-window nil nil t) (next-window)))))

(defun khoj-ls-related-open (&optional event)
  "Go to the passage at point, or at the mouse EVENT, in the window of the note."
  (interactive (list last-nonmenu-event))
  (when (mouse-event-p event)
    (select-window (posn-window (event-start event))))
  (let ((hit (khoj-ls-related--hit event)))
    (khoj-ls-related--window)
    (khoj-ls-visit-hit hit)))

(defun khoj-ls-related-open-other-window ()
  "Go to the passage at point in another window than that of the note."
  (interactive)
  (let ((hit (khoj-ls-related--hit)))
    (khoj-ls-related--window)
    (khoj-ls-visit-hit hit t)))

(declare-function khoj-ls-insert-link-to "khoj-ls-links" (hit))

(defun khoj-ls-related-link ()
  "Insert a link to the note at point, where point is in the note you came from."
  (interactive)
  (let ((hit (khoj-ls-related--hit)))
    (khoj-ls-related--window)
    (khoj-ls-insert-link-to hit)))

(defun khoj-ls-related--go (step)
  "Go by STEP, 1 or -1 characters, to the beginning of a passage."
  (let ((place (+ (point) step)))
    (while (and (< (point-min) place (point-max))
                (not (get-text-property place 'khoj-ls-first)))
      (setq place (+ place step)))
    (when (and (<= (point-min) place (point-max))
               (get-text-property place 'khoj-ls-first))
      (goto-char place))))

(defun khoj-ls-related-next (&optional count)
  "Go to the COUNTth next passage."
  (interactive "p")
  (dotimes (_ (or count 1)) (khoj-ls-related--go 1)))

(defun khoj-ls-related-previous (&optional count)
  "Go to the COUNTth passage before."
  (interactive "p")
  (dotimes (_ (or count 1)) (khoj-ls-related--go -1)))

(provide 'khoj-ls-related)
;;; khoj-ls-related.el ends here
