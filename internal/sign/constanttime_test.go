package sign_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

// TestSignaturesAreComparedInConstantTime looks at the source: how long a comparison
// takes cannot be told reliably from outside. In match, two MACs meet.
func TestSignaturesAreComparedInConstantTime(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "verifier.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	constant := 0
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || function.Name.Name != "match" {
			continue
		}
		ast.Inspect(function, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok {
				if name, ok := call.Fun.(*ast.SelectorExpr); ok && name.Sel.Name == "Equal" {
					if from, ok := name.X.(*ast.Ident); ok && from.Name == "hmac" {
						constant++
					}
				}
			}
			return true
		})
	}
	if constant != 1 {
		t.Errorf("match calls hmac.Equal %d times, want 1", constant)
	}
}
