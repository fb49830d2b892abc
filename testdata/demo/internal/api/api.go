// Package api serves the notes.
package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"example.com/demo/internal/audit"
	"example.com/demo/internal/auth"
	"example.com/demo/internal/config"
	"example.com/demo/internal/experiment"
	"example.com/demo/internal/meta"
	"example.com/demo/internal/store"
	"example.com/demo/internal/web"
)

type server struct {
	cfg   *config.Config
	notes *store.Store
	log   *audit.Log
}

// New returns the handler of the whole service.
func New(cfg *config.Config, notes *store.Store, log *audit.Log) http.Handler {
	s := &server{cfg, notes, log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /notes", s.list)
	mux.HandleFunc("POST /notes", s.add)
	mux.Handle("DELETE /notes/{index}", auth.RequireAdmin(http.HandlerFunc(s.remove)))

	h := s.assign(mux)
	h = auth.Middleware(cfg.Users)(h)
	h = web.Lang(cfg.Languages, h)
	h = web.Sessions(h)
	h = meta.Middleware(h)
	h = web.RequestID(h)
	return web.RequestLine(h)
}

func (s *server) assign(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if u, ok := ctx.Value("user").(*auth.User); ok {
			ctx = experiment.Assign(ctx, s.cfg.Experiments, u.Name)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	notes := s.notes.List(r.Context())
	if experiment.Active(r.Context(), s.cfg.ShortList) {
		for i := range notes {
			notes[i].Text = ""
		}
	}
	w.Header().Set("Content-Language", r.Context().Value("lang").(string))
	w.Header().Set("Server-Timing", fmt.Sprintf("total;dur=%d", meta.Elapsed(r.Context()).Milliseconds()))
	if err := json.NewEncoder(w).Encode(notes); err != nil {
		s.log.Change(r.Context(), "got no answer: "+err.Error())
	}
}

func (s *server) add(w http.ResponseWriter, r *http.Request) {
	var n store.Note
	if err := json.NewDecoder(r.Body).Decode(&n); err != nil || n.Title == "" {
		http.Error(w, message(r, "no title"), http.StatusBadRequest)
		return
	}
	s.notes.Add(r.Context(), n)
	s.log.Change(r.Context(), "added "+strconv.Quote(n.Title))
	w.WriteHeader(http.StatusCreated)
}

func (s *server) remove(w http.ResponseWriter, r *http.Request) {
	i, err := strconv.Atoi(r.PathValue("index"))
	if err == nil {
		err = s.notes.Delete(r.Context(), i)
	}
	if err != nil {
		http.Error(w, message(r, "no such note"), http.StatusNotFound)
		return
	}
	s.log.Change(r.Context(), "deleted a note")
}

var german = map[string]string{
	"no title":     "Titel fehlt",
	"no such note": "Notiz nicht gefunden",
}

// message translates text into the language of the request.
func message(r *http.Request, text string) string {
	if lang, ok := r.Context().Value("lang").(string); ok && lang == "de" {
		text = german[text]
	}
	return fmt.Sprintf("%s (%v)", text, r.Context().Value(web.RequestIDHeader))
}
