package verify

import (
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/diagnose"
	"github.com/leapfinancial/m2m/internal/sign"
)

const (
	// mixedReach is how many unexplained deliveries are compared with each other, and
	// mixedBody how long their bodies may be, in bytes. It bounds memory and work.
	mixedReach = 16
	mixedBody  = 64 << 10
	// mixedMost is how many unexplained deliveries are compared at all: where nothing
	// matches, it is not for headers that got mixed up.
	mixedMost = 256
)

// mixed holds the last unexplained deliveries, to see whether the headers of one
// belong to the body of another.
type mixed struct {
	last  []mixedUp
	count int
}

type mixedUp struct {
	told    *told
	message sign.Message
}

// add compares a delivery with the last ones, and returns those that it explains.
func (m *mixed) add(keys []sign.Key, next *told, request *delivery.Request) (explained []*told) {
	if m.count++; m.count > mixedMost || len(request.Body) > mixedBody {
		return nil
	}
	verifier := sign.NewVerifier(keys)
	belongs := func(headers, body sign.Message) bool {
		headers.Body = body.Body
		return verifier.Verify(headers, sign.Clock{}).Authentic()
	}
	mine := mixedUp{next, messageOf(*request)}
	for _, other := range m.last {
		if belongs(mine.message, other.message) {
			mine.told.result.Diagnosis.Findings = otherHeaders(other.told.result.Source)
		}
		if belongs(other.message, mine.message) && other.told.result.Diagnosis.Cause() == diagnose.Unknown {
			other.told.result.Diagnosis.Findings = otherHeaders(next.result.Source)
			explained = append(explained, other.told)
		}
	}
	if m.last = append(m.last, mine); len(m.last) > mixedReach {
		m.last[0] = mixedUp{}
		m.last = m.last[1:]
	}
	return explained
}

func otherHeaders(source string) []diagnose.Finding {
	found := otherDelivery(source)
	found[0].Message = "timestamp and signature are those of another delivery, " + source
	return found
}
