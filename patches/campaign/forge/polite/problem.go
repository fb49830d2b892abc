package polite

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

const (
	bodyRead  = 64 << 10 // of a refusal's body
	saidRunes = 400      // of what a forge says, in an error
)

// A Problem is an answer that is no success. It is one of package forge's errors where the status has that meaning.
type Problem struct {
	Status       int
	Method, Path string
	Said         string // what the forge said, on one line
	page         string // the documentation it pointed to
}

func (p *Problem) Error() string {
	text := fmt.Sprintf("%s %s: %d", p.Method, p.Path, p.Status)
	if p.Said != "" {
		return text + ": " + p.Said
	}
	if name := http.StatusText(p.Status); name != "" {
		return text + " " + name
	}
	return text
}

// Unwrap returns the meaning of the status, nil where it has none.
func (p *Problem) Unwrap() error {
	switch p.Status {
	case http.StatusUnauthorized:
		return forge.ErrUnauthorized
	case http.StatusForbidden, http.StatusUnavailableForLegalReasons:
		return forge.ErrForbidden
	case http.StatusNotFound, http.StatusGone:
		return forge.ErrNotFound
	case http.StatusTooManyRequests:
		return nil
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return forge.ErrUnavailable
	}
	if p.Status < 500 {
		return forge.ErrInvalid
	}
	return forge.ErrUnavailable
}

// problem reads what the forge said. What breaks off may have been about to say something else.
func (t *transport) problem(req *http.Request, resp *http.Response) (*Problem, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyRead))
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	p := &Problem{Status: resp.StatusCode, Method: req.Method, Path: req.URL.Path}
	var answer struct {
		Message          any    `json:"message"`
		Error            any    `json:"error"`
		ErrorDescription string `json:"error_description"`
		Errors           any    `json:"errors"`
		Documentation    string `json:"documentation_url"`
	}
	if json.Unmarshal(body, &answer) == nil {
		p.page = answer.Documentation
		p.Said = strings.Join(slices.Concat(texts(answer.Message), texts(answer.Error), texts(answer.ErrorDescription), texts(answer.Errors)), ": ")
	} else if !strings.Contains(resp.Header.Get("Content-Type"), "html") {
		p.Said = string(body)
	}
	if token := t.token.Reveal(); token != "" {
		// Before it is cut, so that no half of it is left.
		p.Said = strings.ReplaceAll(p.Said, token, "(hidden)")
		p.Path = strings.ReplaceAll(p.Path, token, "(hidden)")
	}
	p.Said = line(p.Said)
	return p, nil
}

// texts are the words of a JSON value: forges say what is wrong as a string, as a list, or by field.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		if v != "" {
			return []string{v}
		}
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, texts(e)...)
		}
		return all
	case map[string]any:
		var names []string
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		// GitHub's errors name resource, field and code, and sometimes say it in words: those are for people.
		if said := texts(v["message"]); said != nil {
			return said
		}
		var all []string
		for _, name := range names {
			for _, text := range texts(v[name]) {
				all = append(all, name+" "+text)
			}
		}
		return all
	}
	return nil
}

// line makes one short line of what somebody else wrote.
func line(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }), " ")
	if runes := []rune(text); len(runes) > saidRunes {
		return string(runes[:saidRunes]) + "..."
	}
	return text
}

// Cause takes away what HTTP clients put around an error: a method and an address that Problem names anyway.
func Cause(err error) error {
	var limit *forge.LimitError
	var problem *Problem
	switch {
	case errors.As(err, &limit):
		return limit
	case errors.As(err, &problem):
		return problem
	}
	return err
}

// Said returns what the forge said with a status, if err is such a refusal.
func Said(err error, statuses ...int) (string, bool) {
	var problem *Problem
	if !errors.As(err, &problem) || !slices.Contains(statuses, problem.Status) {
		return "", false
	}
	return problem.Said, true
}

// Refused reports whether an error means that the forge will never do what was asked, so that asking again is of no use.
func Refused(err error) bool {
	return errors.Is(err, forge.ErrInvalid) || errors.Is(err, forge.ErrNotFound) || errors.Is(err, forge.ErrForbidden)
}
