package main

import (
	"strings"
	"testing"
)

func planOf(vpc, subnet string, public bool) plan {
	make := func(address, kind string, after map[string]any) change {
		c := change{Address: address, Mode: "managed", Type: kind}
		c.Change.After = after
		return c
	}
	return plan{Resources: []change{
		make("aws_vpc.this", "aws_vpc", map[string]any{"id": vpc, "cidr_block": "10.0.0.0/16"}),
		make("aws_subnet.a", "aws_subnet", map[string]any{"id": subnet, "vpc_id": vpc, "public": public}),
	}}
}

var computedIds = map[string]map[string]bool{"aws_vpc": {"id": false}, "aws_subnet": {"id": false}}

func TestAGeneratedValueIsShownByTheAttributeThatHasIt(t *testing.T) {
	text := render(planOf("aaaaaaa1", "bbbbbbb1", false), planOf("aaaaaaa2", "bbbbbbb2", false), computedIds)
	if !strings.Contains(text, `vpc_id = "‹aws_vpc.this.id›"`) || strings.Contains(text, "aaaaaaa1") {
		t.Error(text)
	}
}

func TestTwoPlansOfOneConfigurationReadTheSame(t *testing.T) {
	one := render(planOf("aaaaaaa1", "bbbbbbb1", false), planOf("aaaaaaa2", "bbbbbbb2", false), computedIds)
	two := render(planOf("ccccccc1", "ddddddd1", false), planOf("ccccccc2", "ddddddd2", false), computedIds)
	if one != two {
		t.Error(differences("run", one, two))
	}
}

func TestAnAttributeOfAnotherValueIsADifference(t *testing.T) {
	one := render(planOf("aaaaaaa1", "bbbbbbb1", false), planOf("aaaaaaa2", "bbbbbbb2", false), computedIds)
	two := render(planOf("aaaaaaa1", "bbbbbbb1", true), planOf("aaaaaaa2", "bbbbbbb2", true), computedIds)
	if len(differences("run", one, two)) != 2 {
		t.Error(differences("run", one, two))
	}
}
