package forge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestSecretStaysHidden prints one in every way that a log, an error or a
// record could.
func TestSecretStaysHidden(t *testing.T) {
	access := Access{Username: "bot", Token: NewSecret("s3cr3t")}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X"} {
		fmt.Fprintf(&out, verb+"\n", access)
		fmt.Fprintf(&out, verb+"\n", access.Token)
		fmt.Fprintf(&out, verb+"\n", &access.Token)
		fmt.Fprintf(&out, verb+"\n", struct{ within struct{ access Access } }{struct{ access Access }{access}})
	}
	encoded, err := json.Marshal(access)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("push", "access", access, "token", access.Token)
	slog.New(slog.NewTextHandler(&out, nil)).Info("push", "access", access, "token", access.Token)
	// %x of the characters is the token, too.
	for _, form := range []string{"s3cr3t", fmt.Sprintf("%x", "s3cr3t"), fmt.Sprintf("%X", "s3cr3t"), fmt.Sprintf("%d", []byte("s3cr3t"))} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the token appears as %q:\n%s", form, out.String())
		}
	}
	if access.Token.Reveal() != "s3cr3t" {
		t.Error("the token is lost")
	}
}
