package verify

import (
	"bytes"
	"errors"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
)

// usualLine is about the length of a record, in bytes.
const usualLine = 1500

// worker judges jobs with memory of its own.
type worker struct {
	batch    *Batch
	verifier *sign.Verifier
	scanner  delivery.Scanner
}

func newWorker(b *Batch) *worker {
	return &worker{batch: b, verifier: sign.NewVerifier(b.judge.Keys)}
}

// block judges the delivery records of a block.
func (w *worker) block(name string, block *delivery.Block, out *outcome) {
	out.macs = make([]signed, 0, len(block.Text)/usualLine)
	for {
		text, line, ok := block.NextLine()
		if !ok {
			break
		}
		scanned, err := w.scanner.Scan(text)
		switch {
		case err == nil:
			w.scanned(name, text, line, scanned, out)
		case isBlank(text), errors.Is(err, delivery.ErrOtherType):
		default:
			fault := &delivery.LineError{Line: line, Torn: block.Torn, Err: err}
			out.findings = append(out.findings, finding{name: name, fault: fault})
		}
	}
}

// scanned judges one line.
func (w *worker) scanned(name string, text []byte, line int, scanned *delivery.Scanned, out *outcome) {
	verdict := w.verifier.VerifyRaw(sign.RawMessage{
		Signature: scanned.Signature, HasSignature: scanned.HasSignature,
		Timestamp: scanned.Timestamp, HasTimestamp: scanned.HasTimestamp,
		Body: scanned.Body,
	}, w.batch.judge.Clock)
	w.count(name, line, verdict, out)
	only := w.mayBeOnly(out)
	if verdict.Valid() && !w.batch.options.All && w.batch.judge.Schema == nil && !only {
		return
	}
	// What was scanned lies in memory that is used again.
	record, err := delivery.Parse(text)
	if err != nil {
		out.findings = append(out.findings, finding{name: name, fault: &delivery.LineError{Line: line, Err: err}})
		return
	}
	w.find(sourceOf(name, line), record.Request, verdict, only, out)
}

// record judges one delivery that stands for itself.
func (w *worker) record(source string, record delivery.Record, out *outcome) {
	verdict := w.verifier.Verify(messageOf(record.Request), w.batch.judge.Clock)
	w.count(source, 0, verdict, out)
	w.find(source, record.Request, verdict, w.mayBeOnly(out), out)
}

// mayBeOnly says whether the delivery counted last may be the batch's only one.
func (w *worker) mayBeOnly(out *outcome) bool { return out.checked == 1 && w.batch.checked.Load() == 0 }

func (w *worker) count(name string, line int, verdict sign.Verdict, out *outcome) {
	out.checked++
	if !verdict.Valid() {
		out.invalid++
	}
	if w.batch.judge.Diagnoser == nil {
		return
	}
	if mac, ok := w.verifier.MAC(); ok {
		out.macs = append(out.macs, signed{mac, name, line})
	}
}

// find makes a result of a delivery, and keeps it if it is to be told or may be the
// only one.
func (w *worker) find(source string, request delivery.Request, verdict sign.Verdict, only bool, out *outcome) {
	result := w.batch.judge.result(source, request, verdict)
	switch {
	case w.batch.options.All || !result.Good():
		found := finding{result: result}
		if w.batch.judge.Diagnoser != nil && Explicable(verdict) {
			found.broken = &request
		}
		out.findings = append(out.findings, found)
	case only:
		out.only = &result
	}
}

func isBlank(text []byte) bool { return len(bytes.TrimSpace(text)) == 0 }
