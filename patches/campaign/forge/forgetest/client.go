package forgetest

import (
	"net/http"
	"net/http/httptest"
)

// Client returns an HTTP client whose requests all reach a handler, whatever host they name.
func Client(handler http.Handler) *http.Client {
	return &http.Client{Transport: direct{handler}}
}

type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	d.handler.ServeHTTP(w, r)
	return w.Result(), nil
}
