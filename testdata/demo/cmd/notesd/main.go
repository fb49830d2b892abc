// Command notesd serves short notes, one notebook per tenant, over HTTP.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"example.com/demo/internal/api"
	"example.com/demo/internal/audit"
	"example.com/demo/internal/config"
	"example.com/demo/internal/store"
)

func main() {
	path := flag.String("config", "notesd.json", "configuration `file`")
	flag.Parse()
	cfg, err := config.Load(*path)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := serve(ctx, cfg); err != nil {
		log.Fatal(err)
	}
}

// serve answers requests until ctx ends, then lets those under way finish.
func serve(ctx context.Context, cfg *config.Config) error {
	srv := &http.Server{
		Addr:              cfg.Listen,
		Handler:           api.New(cfg, store.New(), audit.New(os.Stderr)),
		ReadHeaderTimeout: 5 * time.Second,
	}
	context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(grace); err != nil {
			log.Print(err)
		}
	})
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
