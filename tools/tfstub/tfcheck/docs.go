package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const begin, end = "<!-- inputs and outputs, made by tools/terraform-test --write -->\n", "<!-- end -->\n"

// docs holds the tables of each README against the code, or writes them.
func docs(root string, write bool) (problems []string, summary string, err error) {
	dirs, err := folders(root)
	if err != nil {
		return nil, "", err
	}
	for _, dir := range dirs {
		m, err := load(root, dir)
		if err != nil {
			return nil, "", err
		}
		file := filepath.Join(root, dir, "README.md")
		was, err := os.ReadFile(file)
		if err != nil {
			return nil, "", err
		}
		before, rest, found := strings.Cut(string(was), begin)
		_, after, closed := strings.Cut(rest, end)
		if !found || !closed {
			problems = append(problems, fmt.Sprintf("%s/README.md has no place for its tables: %q and %q", dir, begin, end))
			continue
		}
		now := before + begin + tables(m) + end + after
		if now == string(was) {
			continue
		}
		if !write {
			problems = append(problems, dir+"/README.md is not in step with the code: run tools/terraform-test --write")
			continue
		}
		if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
			return nil, "", err
		}
	}
	return problems, fmt.Sprintf("tables: %d READMEs", len(dirs)), nil
}

func tables(m *module) string {
	var out strings.Builder
	cell := func(text string) string {
		return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "\\|")
	}
	if variables := m.of("variable"); len(variables) > 0 {
		out.WriteString("\n| input | type | default | what |\n|---|---|---|---|\n")
		for _, block := range variables {
			fallback := "required"
			if _, ok := block.Body.Attributes["default"]; ok {
				fallback = "`" + cell(m.text(block.Body, "default")) + "`"
			}
			what := cell(m.literal(block.Body, "description"))
			if m.text(block.Body, "sensitive") == "true" {
				what += " Sensitive."
			}
			fmt.Fprintf(&out, "| `%s` | `%s` | %s | %s |\n", block.Labels[0], cell(m.text(block.Body, "type")), fallback, what)
		}
	}
	if outputs := m.of("output"); len(outputs) > 0 {
		out.WriteString("\n| output | what |\n|---|---|\n")
		for _, block := range outputs {
			fmt.Fprintf(&out, "| `%s` | %s |\n", block.Labels[0], cell(m.literal(block.Body, "description")))
		}
	}
	out.WriteString("\n")
	return out.String()
}
