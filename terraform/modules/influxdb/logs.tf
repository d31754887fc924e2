# Where the engine's logs go, hourly.

resource "aws_s3_bucket" "logs" {
  # checkov:skip=CKV_AWS_18: it holds logs itself; who reads them is in CloudTrail's data events, where an account records them.
  # checkov:skip=CKV_AWS_144: logs are kept for a while in one region, and not copied to another.
  # checkov:skip=CKV_AWS_145: the service's right to use a customer key for delivery is not documented; the bucket's own key encrypts.
  # checkov:skip=CKV2_AWS_62: nothing acts on the arrival of a log file.
  count = var.log_delivery ? 1 : 0

  # At most 58 of the 63 characters that S3 allows.
  bucket = lower("${var.name}-logs-${local.account_id}")

  tags = var.tags
}

resource "aws_s3_bucket_public_access_block" "logs" {
  count = var.log_delivery ? 1 : 0

  bucket                  = aws_s3_bucket.logs[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  count = var.log_delivery ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  count = var.log_delivery ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "logs" {
  count = var.log_delivery ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  count = var.log_delivery ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = var.log_retention_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.logs]
}

data "aws_iam_policy_document" "logs" {
  count = var.log_delivery ? 1 : 0

  # The service writes below this prefix and nowhere else.
  statement {
    sid       = "InfluxLogs"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.logs[0].arn}/InfluxLogs/*"]

    principals {
      type        = "Service"
      identifiers = ["timestream-influxdb.amazonaws.com"]
    }
  }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.logs[0].arn, "${aws_s3_bucket.logs[0].arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  count = var.log_delivery ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id
  policy = data.aws_iam_policy_document.logs[0].json

  depends_on = [aws_s3_bucket_public_access_block.logs]
}
