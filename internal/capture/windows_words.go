package capture

import (
	"bytes"
	"errors"
)

// windowsWords reads the words of a command for Windows: cmd undoes ^, and the
// program's own start-up code then undoes quotes and backslashes. Between quotes
// that ^ escapes, as only browsers write them, two backslashes are one: browsers
// double each, though the program would undo that only before a quote.
type windowsWords struct {
	*splitter
	// inQuotes is cmd's idea of being between quotes, where ^ is an ordinary
	// character. A quote after ^ is not one for cmd, but is one for the program.
	inQuotes bool
	// escaped says that the byte which next returned came after ^.
	escaped bool
	// unread is a byte that next returns once more, with its error.
	unread    bool
	unreadB   byte
	unreadErr error
}

// word returns the next word, if there is one, and errEnd with or after the last.
func (w *windowsWords) word() (*word, error) {
	w.text = w.text[:0]
	var began, open place
	inWord, quoted, doubled := false, false, false
	for {
		here := w.in.place
		b, err := w.next()
		switch {
		case errors.Is(err, errEnd) && quoted:
			return nil, open.errorf("the quote that opens here is not closed")
		case errors.Is(err, errEnd) && inWord:
			return w.gathered(began), errEnd
		case err != nil:
			return nil, err
		case !quoted && (b == ' ' || b == '\t'):
			if inWord {
				return w.gathered(began), nil
			}
			continue
		}
		if !inWord {
			began, inWord = here, true
		}
		switch b {
		case '\\':
			w.backslashes(doubled)
		case '"':
			if quoted {
				// Two quotes inside of quotes are one.
				if b, err = w.next(); err == nil && b == '"' {
					w.text = append(w.text, '"')
					continue
				}
				w.putBack(b, err)
			}
			quoted, open = !quoted, here
			doubled = quoted && w.escaped
		default:
			w.text = append(w.text, b)
		}
	}
}

// backslashes reads on after a backslash. Before a quote, two stand for one and an
// odd one for the quote; elsewhere each stands for itself, unless they are doubled
// everywhere.
func (w *windowsWords) backslashes(doubled bool) {
	count := 1
	b, err := w.next()
	for err == nil && b == '\\' {
		count++
		b, err = w.next()
	}
	beforeQuote := err == nil && b == '"'
	if !beforeQuote {
		if doubled {
			count = (count + 1) / 2
		}
		w.text = append(w.text, bytes.Repeat([]byte(`\`), count)...)
		w.putBack(b, err)
		return
	}
	w.text = append(w.text, bytes.Repeat([]byte(`\`), count/2)...)
	if count%2 == 1 {
		w.text = append(w.text, '"')
		return
	}
	w.putBack(b, err)
}

func (w *windowsWords) putBack(b byte, err error) {
	w.unread, w.unreadB, w.unreadErr = true, b, err
}

// next returns the next byte that cmd hands to the program.
func (w *windowsWords) next() (byte, error) {
	if w.unread {
		w.unread = false
		return w.unreadB, w.unreadErr
	}
	here := w.in.place
	w.escaped = false
	b, err := w.readLineEnd()
	if err != nil {
		return 0, err
	}
	if b == '"' {
		w.inQuotes = !w.inQuotes
	}
	switch {
	case b == '\n':
		return 0, errEnd
	case w.inQuotes:
		return b, nil
	case b == '&':
		return 0, errEnd
	case b == '|' || b == '<' || b == '>':
		return 0, here.errorf("%q outside of quotes is for the shell: leave the curl command alone, or quote it", b)
	case b == '^':
		// A line that ends in ^ goes on, and what comes first there is escaped, be it
		// another line end.
		w.escaped = true
		if b, err = w.readLineEnd(); err == nil && b == '\n' {
			b, err = w.readLineEnd()
		}
	}
	return b, err
}
