package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/term"
	"github.com/leapfinancial/m2m/internal/verify"
)

// verifier has captures judged and shows them. What it shows comes from the batch,
// one thing at a time.
type verifier struct {
	options  *verifyOptions
	batch    *verify.Batch
	progress *progress
	reports  verifyReports
	code     exitCode
	// first is held back until it is clear whether there are several.
	first   *verify.Result
	several bool
	// misfits counts the payloads that do not fit their schema.
	misfits int
	file    verifiedFile
}

// verifiedFile is what was found in the file at hand beside its deliveries.
type verifiedFile struct {
	// before is how many deliveries were judged before it.
	before int64
	faulty bool
	torn   *delivery.LineError
}

// start makes the batch, which has to be ended.
func (v *verifier) start(judge verify.Judge) {
	o := v.options
	v.batch = verify.NewBatch(judge, verify.BatchOptions{
		All:     o.app.JSON || o.app.Verbose || len(o.Reports) > 0,
		Found:   func(r verify.Result) error { return v.progress.above(func() error { return v.found(r) }) },
		Several: func() error { return v.progress.above(v.severalCame) },
		Fault:   v.fault,
	})
	v.progress = o.app.newProgress(func() string {
		checked, invalid := v.batch.Count()
		return fmt.Sprintf("%d checked, %d INVALID …", checked, invalid)
	})
}

// read adds all captures of a file. The error is one that ends the run; what cannot
// be used is told and counted.
func (v *verifier) read(ctx context.Context, name string) error {
	in, err := v.options.app.open(name, "the capture")
	if err != nil {
		return v.batch.After(ctx, func(int64) error { return v.refuse(err) })
	}
	defer in.Close()
	captures, err := capture.Open(in, capture.Format(v.options.Format))
	switch {
	case errors.Is(err, errInterrupted):
		return err
	case err != nil:
		return v.batch.After(ctx, func(int64) error { return v.refuse(captureError(name, err)) })
	}
	if lines := captures.Lines(); lines != nil {
		err = v.batch.Lines(ctx, name, lines)
	} else {
		err = v.records(ctx, name, captures)
	}
	if err != nil {
		return err
	}
	return v.batch.After(ctx, func(checked int64) error { return v.endOfFile(name, checked) })
}

func (v *verifier) records(ctx context.Context, name string, captures *capture.Reader) error {
	for {
		record, line, err := captures.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			err = v.batch.Fault(ctx, name, err)
		default:
			err = v.batch.Record(ctx, fmt.Sprintf("%s:%d", name, line), record)
		}
		if err != nil {
			return err
		}
	}
}

// fault takes what is no delivery. A torn last line is told at the end of the file.
func (v *verifier) fault(name string, err error) error {
	var line *delivery.LineError
	switch {
	case errors.As(err, &line) && line.Torn:
		v.file.torn = line
		return nil
	case errors.Is(err, errInterrupted):
		return err
	}
	v.file.faulty = true
	return v.refuse(captureError(name, err))
}

func (v *verifier) endOfFile(name string, checked int64) error {
	file := v.file
	v.file = verifiedFile{before: checked}
	switch {
	case file.torn != nil && checked == file.before:
		return v.refuse(captureError(name, fmt.Errorf("line %d: %w", file.torn.Line, file.torn.Err)))
	case file.torn != nil:
		return v.progress.above(func() error {
			v.options.app.warn("%s: line %d is cut off and was not judged", name, file.torn.Line)
			return nil
		})
	case checked == file.before && !file.faulty:
		return v.refuse(fmt.Errorf("reading %s: no delivery in it", name))
	}
	return nil
}

// refuse tells of a capture that cannot be used.
func (v *verifier) refuse(err error) error {
	v.code = worse(v.code, exitNotTried)
	v.reports.fault(err)
	return v.progress.above(func() error {
		v.options.app.tellError(err)
		return nil
	})
}

func captureError(name string, err error) error {
	err = fmt.Errorf("reading %s: %w", name, err)
	if errors.Is(err, capture.ErrPayload) {
		return withHint(err, "pass the body with --payload %s and its headers with --signature and --timestamp, or --headers FILE", name)
	}
	return err
}

func (v *verifier) severalCame() error {
	v.several = true
	if v.first == nil {
		return nil
	}
	first := *v.first
	v.first = nil
	return v.show(first)
}

// found takes one result.
func (v *verifier) found(result verify.Result) error {
	if !result.Good() {
		v.code = worse(v.code, exitNo)
	}
	if len(result.SchemaErrors) > 0 {
		v.misfits++
	}
	v.reports.add(result)
	a := v.options.app
	switch {
	case a.Quiet:
		return nil
	case a.JSON:
		line, err := result.Line()
		if err != nil {
			return err
		}
		_, err = a.Out.Write(line)
		return err
	case !v.several:
		v.first = &result
		return nil
	}
	return v.show(result)
}

// show prints one of several results.
func (v *verifier) show(result verify.Result) error {
	a := v.options.app
	if result.Good() && !a.Verbose {
		return nil
	}
	p := a.printer(a.Out)
	p.Verified(result, true)
	return p.Err()
}

// end waits for the last result, and sums up. An error that ended the run before its
// work was done is returned as it is: then there is no sum, and no report.
func (v *verifier) end(err error) error {
	if ended := v.batch.End(); err == nil {
		err = ended
	}
	v.progress.end()
	a := v.options.app
	p := a.printer(a.Out)
	checked, invalid := v.batch.Count()
	switch {
	case v.first != nil:
		p.Verified(*v.first, false)
	case a.Quiet || a.JSON || checked == 0 || err != nil:
	default:
		text := fmt.Sprintf("%d checked: %d valid", checked, checked-invalid)
		if invalid > 0 {
			text += fmt.Sprintf(", %d INVALID", invalid)
		}
		if v.misfits > 0 {
			text += "; " + term.Count(v.misfits, "payload does not fit its schema", "payloads do not fit their schema")
		}
		p.Line("%s", text)
	}
	if err != nil {
		return err
	}
	if err := p.Err(); err != nil {
		return err
	}
	if err := v.reports.close(); err != nil {
		return err
	}
	return result(v.code)
}
