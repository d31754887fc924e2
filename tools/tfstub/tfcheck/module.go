package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// module is the blocks of one folder's *.tf files, in the order of files and lines.
type module struct {
	dir    string // below the root, "." for the root itself
	blocks []*hclsyntax.Block
	source map[string][]byte // by the file's name
}

// folders lists the root, its modules and its examples.
func folders(root string) ([]string, error) {
	out := []string{"."}
	for _, pattern := range []string{"modules/*", "examples/*"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, dir := range found {
			relative, err := filepath.Rel(root, dir)
			if err != nil {
				return nil, err
			}
			out = append(out, relative)
		}
	}
	return out, nil
}

func load(root, dir string) (*module, error) {
	files, err := filepath.Glob(filepath.Join(root, dir, "*.tf"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("`%s` has no *.tf file", dir)
	}
	m := &module{dir: dir, source: map[string][]byte{}}
	for _, file := range files {
		blocks, source, err := parse(file)
		if err != nil {
			return nil, err
		}
		m.blocks, m.source[file] = append(m.blocks, blocks...), source
	}
	return m, nil
}

func parse(file string) ([]*hclsyntax.Block, []byte, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	parsed, problems := hclparse.NewParser().ParseHCL(source, file)
	if problems.HasErrors() {
		return nil, nil, problems
	}
	return parsed.Body.(*hclsyntax.Body).Blocks, source, nil
}

// of lists the blocks of a type, such as "variable".
func (m *module) of(kind string) (out []*hclsyntax.Block) {
	for _, block := range m.blocks {
		if block.Type == kind {
			out = append(out, block)
		}
	}
	return out
}

// find returns the block with a type and labels, or nil.
func (m *module) find(kind string, labels ...string) *hclsyntax.Block {
	for _, block := range m.of(kind) {
		if slices.Equal(block.Labels, labels) {
			return block
		}
	}
	return nil
}

// text returns an attribute's expression as it is written, or "".
func (m *module) text(body *hclsyntax.Body, name string) string {
	attribute, ok := body.Attributes[name]
	if !ok {
		return ""
	}
	span := attribute.Expr.Range()
	return string(span.SliceBytes(m.source[span.Filename]))
}

// literal returns an attribute that is written as a plain string.
func (m *module) literal(body *hclsyntax.Body, name string) string {
	attribute, ok := body.Attributes[name]
	if !ok {
		return ""
	}
	value, problems := attribute.Expr.Value(nil)
	if problems.HasErrors() || value.Type().FriendlyName() != "string" {
		return ""
	}
	return value.AsString()
}

// inner lists the blocks of a type within a body.
func inner(body *hclsyntax.Body, kind string) (out []*hclsyntax.Block) {
	for _, block := range body.Blocks {
		if block.Type == kind {
			out = append(out, block)
		}
	}
	return out
}

// place names where a block begins, for people.
func place(root string, span hcl.Range) string {
	file, err := filepath.Rel(root, span.Filename)
	if err != nil {
		file = span.Filename
	}
	return fmt.Sprintf("%s:%d", file, span.Start.Line)
}

func label(block *hclsyntax.Block) string {
	return strings.Join(append([]string{block.Type}, block.Labels...), " ")
}
