;;; khoj-ls-live.el --- Choosing in the minibuffer as you type  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The khoj_ls authors

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; A list below the prompt that follows what is typed.  The server is asked
;; while you go on typing; a newer question takes the place of an older one.
;; Needs nothing but Emacs; where Consult or another completion is at home
;; `khoj-ls-search' uses that.

;;; Code:

(require 'cl-lib)
(require 'khoj-ls-connection)
(require 'khoj-ls-request)

(defcustom khoj-ls-live-height 10
  "Number of lines that the list in the minibuffer has at most."
  :group 'khoj-ls
  :type 'natnum)

(defcustom khoj-ls-live-delay 0.06
  "Seconds without a key before the server is asked."
  :group 'khoj-ls
  :type 'number)

(defcustom khoj-ls-live-preview-delay 0.2
  "Seconds that a line is chosen before it is looked at."
  :group 'khoj-ls
  :type 'number)

(defface khoj-ls-live-current
  '((t :inherit highlight :extend t))
  "Face of the chosen line."
  :group 'khoj-ls)

(cl-defstruct (khoj-ls-live (:constructor khoj-ls-live--make) (:copier nil))
  "What goes on in the minibuffer."
  ask line look empty input items note (index 0) call timer looker overlay how)

(defvar-local khoj-ls-live--state nil "The `khoj-ls-live' of this minibuffer.")

(defvar khoj-ls-live-map
  (let ((map (make-sparse-keymap)))
    (set-keymap-parent map minibuffer-local-map)
    (define-key map (kbd "RET") #'khoj-ls-live-choose)
    (define-key map (kbd "C-j") #'khoj-ls-live-choose)
    (define-key map (kbd "M-RET") #'khoj-ls-live-choose-other-window)
    (define-key map (kbd "M-i") #'khoj-ls-live-choose-link)
    (define-key map (kbd "C-n") #'khoj-ls-live-next)
    (define-key map (kbd "C-p") #'khoj-ls-live-previous)
    (define-key map (kbd "<down>") #'khoj-ls-live-next)
    (define-key map (kbd "<up>") #'khoj-ls-live-previous)
    (define-key map (kbd "C-v") #'khoj-ls-live-next-page)
    (define-key map (kbd "M-v") #'khoj-ls-live-previous-page)
    (define-key map (kbd "<next>") #'khoj-ls-live-next-page)
    (define-key map (kbd "<prior>") #'khoj-ls-live-previous-page)
    (define-key map (kbd "M-<") #'khoj-ls-live-first)
    (define-key map (kbd "M->") #'khoj-ls-live-last)
    (define-key map (kbd "TAB") #'completion-at-point)
    map)
  "Keys while you choose from a list that follows what you type.")

(cl-defun khoj-ls-live-read (prompt ask &key line look empty history initial default capf)
  "Read with PROMPT, and choose from what ASK finds; returns (ITEM HOW INPUT).
ASK is called with the input and a function to be called with the items and
a note to show below them, or nil; it returns a `khoj-ls-call'.  LINE makes
an item a line, and is called with the item and the width; LOOK is called
with the item that has been chosen for a while.  With EMPTY non-nil it is
also asked before anything is typed.  HISTORY, INITIAL and DEFAULT are as
for `read-from-minibuffer'; CAPF completes the input.
HOW is nil, or `other-window' or `link' by the key that chose."
  (let* ((state (khoj-ls-live--make :ask ask :line (or line (lambda (item _) item))
                                    :look look :empty empty))
         (input
          (unwind-protect
              (minibuffer-with-setup-hook
                  (:append (lambda () (khoj-ls-live--begin state capf)))
                (let ((history-add-new-input nil))
                  (read-from-minibuffer prompt initial khoj-ls-live-map nil history default)))
            (khoj-ls-live--end state))))
    (unless (string-blank-p input)
      (add-to-history history input))
    (list (nth (khoj-ls-live-index state) (khoj-ls-live-items state))
          (khoj-ls-live-how state)
          input)))

(defun khoj-ls-live--begin (state capf)
  "Set the minibuffer up for STATE; CAPF completes its text."
  (setq khoj-ls-live--state state)
  (setq-local resize-mini-windows t
              max-mini-window-height (+ khoj-ls-live-height 3)
              truncate-lines nil
              completion-at-point-functions (and capf (list capf)))
  (let ((overlay (make-overlay (point-max) (point-max) nil t t)))
    (overlay-put overlay 'cursor t)
    (setf (khoj-ls-live-overlay state) overlay))
  (add-hook 'post-command-hook #'khoj-ls-live--typed nil t)
  (khoj-ls-live--typed))

(defun khoj-ls-live--end (state)
  "Stop what goes on for STATE."
  (khoj-ls-cancel (khoj-ls-live-call state))
  (dolist (timer (list (khoj-ls-live-timer state) (khoj-ls-live-looker state)))
    (when timer (cancel-timer timer)))
  (when (khoj-ls-live-overlay state)
    (delete-overlay (khoj-ls-live-overlay state))))

(defun khoj-ls-live--typed ()
  "See whether the input has changed, and ask again if so."
  (let* ((state khoj-ls-live--state)
         (input (minibuffer-contents-no-properties)))
    (move-overlay (khoj-ls-live-overlay state) (point-max) (point-max))
    (unless (equal input (khoj-ls-live-input state))
      (setf (khoj-ls-live-input state) input)
      (when (khoj-ls-live-timer state)
        (cancel-timer (khoj-ls-live-timer state)))
      (if (and (string-blank-p input) (not (khoj-ls-live-empty state)))
          (khoj-ls-live--show state nil nil)
        (setf (khoj-ls-live-timer state)
              (run-at-time khoj-ls-live-delay nil
                           #'khoj-ls-live--ask state input (current-buffer)))))))

(defun khoj-ls-live--ask (state input buffer)
  "Ask for INPUT of the minibuffer BUFFER with STATE, in place of what was asked."
  (khoj-ls-cancel (khoj-ls-live-call state))
  (setf (khoj-ls-live-call state)
        (condition-case problem
            (funcall (khoj-ls-live-ask state) input
                     (lambda (items note)
                       (khoj-ls-live--arrived state input buffer items note)))
          (error (khoj-ls-live--arrived state input buffer nil
                                        (error-message-string problem))
                 nil))))

(defun khoj-ls-live--arrived (state input buffer items note)
  "Show ITEMS and NOTE for INPUT in BUFFER, if STATE still wants them."
  (when (and (buffer-live-p buffer)
             (equal input (khoj-ls-live-input state)))
    (with-current-buffer buffer
      (when (eq state khoj-ls-live--state)
        (khoj-ls-live--show state items note)))))

(defun khoj-ls-live--show (state items note)
  "Let STATE show ITEMS, from the first, and NOTE below them."
  (setf (khoj-ls-live-items state) items
        (khoj-ls-live-note state) note
        (khoj-ls-live-index state) 0)
  (khoj-ls-live--draw state)
  (khoj-ls-live--look-soon state))

(defun khoj-ls-live--draw (state)
  "Draw the list of STATE."
  (let* ((items (khoj-ls-live-items state))
         (count (length items))
         (index (khoj-ls-live-index state))
         (height (max 1 (min khoj-ls-live-height (- (frame-height) 6))))
         (first (max 0 (min (- index (/ height 2)) (- count height))))
         (window (or (active-minibuffer-window) (minibuffer-window)))
         (width (max 20 (1- (window-body-width window))))
         (lines (cl-loop for item in (nthcdr first items)
                         for at from first below (+ first height)
                         collect (khoj-ls-live--line state item (= at index) width)))
         (note (khoj-ls-live-note state)))
    (when note
      (setq lines (append lines (list (propertize note 'face 'shadow)))))
    (let ((text (concat " " (and lines "\n") (mapconcat #'identity lines "\n"))))
      ;; The caret stays in front of the list.
      (put-text-property 0 1 'cursor t text)
      (overlay-put (khoj-ls-live-overlay state) 'after-string text))
    (overlay-put (khoj-ls-live-overlay state) 'before-string
                 (and items (propertize (format "  %d/%d" (1+ index) count) 'face 'shadow
                                        'cursor t)))))

(defun khoj-ls-live--line (state item current width)
  "The line of ITEM of STATE, WIDTH wide; CURRENT if it is the chosen one."
  (let ((line (truncate-string-to-width
               (funcall (khoj-ls-live-line state) item width) width nil nil "…")))
    (when current
      (setq line (concat line (propertize " " 'display `(space :align-to ,width))))
      (add-face-text-property 0 (length line) 'khoj-ls-live-current t line))
    line))

(defun khoj-ls-live--look-soon (state)
  "Look at the chosen item of STATE when it has been chosen for a while."
  (when (khoj-ls-live-look state)
    (when (khoj-ls-live-looker state)
      (cancel-timer (khoj-ls-live-looker state)))
    (setf (khoj-ls-live-looker state)
          (run-at-time khoj-ls-live-preview-delay nil
                       (lambda ()
                         (when-let ((item (nth (khoj-ls-live-index state)
                                               (khoj-ls-live-items state))))
                           (funcall (khoj-ls-live-look state) item)))))))

(defun khoj-ls-live--go (index)
  "Choose the item at INDEX, or the nearest there is."
  (let* ((state khoj-ls-live--state)
         (last (1- (length (khoj-ls-live-items state)))))
    (when (>= last 0)
      (setf (khoj-ls-live-index state) (max 0 (min index last)))
      (khoj-ls-live--draw state)
      (khoj-ls-live--look-soon state))))

(defun khoj-ls-live-next (&optional count)
  "Choose the COUNTth next line."
  (interactive "p")
  (khoj-ls-live--go (+ (khoj-ls-live-index khoj-ls-live--state) (or count 1))))

(defun khoj-ls-live-previous (&optional count)
  "Choose the COUNTth line before."
  (interactive "p")
  (khoj-ls-live-next (- (or count 1))))

(defun khoj-ls-live-next-page ()
  "Choose a line a page further down."
  (interactive)
  (khoj-ls-live-next khoj-ls-live-height))

(defun khoj-ls-live-previous-page ()
  "Choose a line a page further up."
  (interactive)
  (khoj-ls-live-next (- khoj-ls-live-height)))

(defun khoj-ls-live-first ()
  "Choose the first line."
  (interactive)
  (khoj-ls-live--go 0))

(defun khoj-ls-live-last ()
  "Choose the last line."
  (interactive)
  (khoj-ls-live--go most-positive-fixnum))

(defun khoj-ls-live-choose ()
  "Take the chosen line; where the answer is still to come, wait for it."
  (interactive)
  (khoj-ls-live--finish nil))

(defun khoj-ls-live-choose-other-window ()
  "Take the chosen line, and show it in another window."
  (interactive)
  (khoj-ls-live--finish 'other-window))

(defun khoj-ls-live-choose-link ()
  "Take the chosen line, and put a link to it where you came from."
  (interactive)
  (khoj-ls-live--finish 'link))

(defun khoj-ls-live--finish (how)
  "Leave the minibuffer with the chosen line, taken as HOW says."
  (let ((state khoj-ls-live--state))
    (when (timerp (khoj-ls-live-timer state))
      ;; Typed and confirmed in one go: the list is that of an earlier input.
      (when (memq (khoj-ls-live-timer state) timer-list)
        (cancel-timer (khoj-ls-live-timer state))
        (khoj-ls-live--ask state (khoj-ls-live-input state) (current-buffer))))
    (while-no-input
      (while (and (khoj-ls-live-call state)
                  (not (khoj-ls-call-over (khoj-ls-live-call state))))
        (accept-process-output nil 0.05)))
    (cond ((khoj-ls-live-items state)
           (setf (khoj-ls-live-how state) how)
           (exit-minibuffer))
          ((string-blank-p (khoj-ls-live-input state))
           (minibuffer-message "Type what you look for"))
          (t (minibuffer-message "Nothing to choose")))))

(provide 'khoj-ls-live)
;;; khoj-ls-live.el ends here
