# What goes to AWS stays in the VPC. Each endpoint serves this account's principals only.

data "aws_iam_policy_document" "interface_endpoint" {
  # checkov:skip=CKV_AWS_111: the policy of an endpoint bounds who passes; what they may do is bounded by their own policies.
  # checkov:skip=CKV_AWS_356: as above; the condition on the account is what narrows it.
  # checkov:skip=CKV_AWS_109: as above.
  # checkov:skip=CKV_AWS_107: as above.
  # checkov:skip=CKV_AWS_108: as above.
  # checkov:skip=CKV_AWS_1: as above; it is no administrator's policy.
  # checkov:skip=CKV_AWS_49: as above.
  # checkov:skip=CKV_AWS_283: as above; the condition excludes other accounts.
  # checkov:skip=CKV_AWS_110: as above.
  # checkov:skip=CKV2_AWS_40: as above.
  statement {
    sid       = "OwnAccount"
    actions   = ["*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [local.account_id]
    }
  }
}

data "aws_iam_policy_document" "s3_endpoint" {
  # checkov:skip=CKV_AWS_283: the first statement is narrowed to this account, the second to the public bucket of ECR's layers.
  # checkov:skip=CKV_AWS_356: buckets of this account, whose own policies decide further.
  # checkov:skip=CKV_AWS_108: as above.
  # checkov:skip=CKV_AWS_111: as above.
  statement {
    sid       = "OwnAccount"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket", "s3:GetBucketLocation"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [local.account_id]
    }
  }

  # ECR serves the layers of images from this bucket of its own.
  statement {
    sid       = "ImageLayers"
    actions   = ["s3:GetObject"]
    resources = ["arn:${local.partition}:s3:::prod-${local.region}-starport-layer-bucket/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${local.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for table in aws_route_table.private : table.id]
  policy            = data.aws_iam_policy_document.s3_endpoint.json

  tags = merge(var.tags, { Name = "${var.name}-s3" })
}

resource "aws_vpc_endpoint" "interface" {
  for_each = var.interface_endpoints

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${local.region}.${each.value}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoints.id]
  private_dns_enabled = true
  policy              = data.aws_iam_policy_document.interface_endpoint.json

  tags = merge(var.tags, { Name = "${var.name}-${each.value}" })
}
