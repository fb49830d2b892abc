package forge

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a token. Printed, logged or encoded in any way it shows only that
// it is there; Reveal is the one way to it. It lies behind a pointer: fmt calls no
// methods of what lies in unexported fields of a value that it prints.
type Secret struct{ token *string }

// NewSecret keeps a token.
func NewSecret(token string) Secret {
	if token == "" {
		return Secret{}
	}
	return Secret{&token}
}

// Reveal returns the token, to be handed to a client or to an askpass helper
// and to nothing else.
func (s Secret) Reveal() string {
	if s.token == nil {
		return ""
	}
	return *s.token
}

// String shows whether there is a token.
func (s Secret) String() string {
	if s.token == nil {
		return ""
	}
	return "(hidden)"
}

// Format writes String for every verb: fmt prints a string within a struct for
// %d, whatever its String method says.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText is String, for encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is String, for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
