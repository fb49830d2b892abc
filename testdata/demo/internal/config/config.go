// Package config reads the configuration file of the service.
package config

import (
	"encoding/json"
	"fmt"
	"os"

	"example.com/demo/internal/auth"
)

// Config is what an operator can choose.
type Config struct {
	Listen string `json:"listen"`
	// Users maps bearer tokens to accounts.
	Users map[string]*auth.User `json:"users"`
	// Languages are the languages of the messages, the default first.
	Languages []string `json:"languages"`
	// Experiments are the numbers of the experiments that run.
	Experiments []int `json:"experiments"`
	// ShortList is the experiment that lists titles without text.
	ShortList int `json:"short_list"`
}

// Load reads the file at path.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	cfg := &Config{Listen: "localhost:8080", Languages: []string{"en"}}
	if err := json.Unmarshal(data, cfg); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}
