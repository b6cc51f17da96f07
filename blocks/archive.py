"""Where videos are kept, as a Prefect block: a bucket or a folder, a prefix, and how objects are stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from prefect.blocks.core import Block
from prefect_aws.credentials import AwsCredentials, MinIOCredentials
from pydantic import Field, GetJsonSchemaHandler, ValidationError, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from prefect_together_video.blocks.folder.store import FolderStore
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.s3.objects import Storage
from prefect_together_video.blocks.s3.opening import open_bucket
from prefect_together_video.blocks.store.store import Store
from together_video.errors import ConfigurationError
from together_video.ledger.layout import DEFAULT_TEMPLATE, Layout, check_prefix, check_template
from together_video.ledger.place import ArchivePlace
from together_video.ledger.settings import (
    LINK_HOURS,
    MOST_LINK_HOURS,
    archive_from_env,
    check_bucket,
    check_folder,
    check_name_in_folder,
)

#: A field that references to a block do not have.
_NO_FIELD = "the fields of a block"


class VideoArchive(Block):
    """The S3 bucket or folder for videos, their posters and their records.

    Example:
        Load the block and store a video there:

        ```python
        from prefect import flow
        from prefect_together_video import VideoArchive, make_video

        @flow
        def fox():
            archive = VideoArchive.load("BLOCK_NAME")
            return make_video("a fox in the snow", archive=archive).uri
        ```
    """

    _block_type_name = "Video Archive"
    _block_type_slug = "video-archive"
    _logo_url = "https://cdn.sanity.io/images/3ugk85nk/production/d74b16fe84ce626345adf235a47008fea2869a60-225x225.png"  # type: ignore[assignment]
    _documentation_url = "https://docs.aws.amazon.com/s3/"  # type: ignore[assignment]
    _description = "The S3 bucket or folder for generated videos, their posters and their records."

    bucket: str | None = Field(
        default=None, title="Bucket", description="The name of the bucket. Set this or a folder."
    )
    folder: str | None = Field(
        default=None,
        title="Folder",
        description=(
            "Instead of a bucket: a folder on the machine that runs this, or on a file system that all workers share."
        ),
    )
    prefix: str = Field(
        default="",
        title="Prefix",
        description="Where everything is kept, inside the bucket or folder.",
    )
    template: str = Field(
        default=DEFAULT_TEMPLATE,
        title="File name template",
        description=(
            "The name of a video's file: {id} is required; {date}, {year}, {month}, {day}, {slug}, "
            "{model} and {edition} are optional."
        ),
    )
    storage_class: str | None = Field(
        default=None,
        title="Storage class",
        description="The S3 storage class of videos and posters, such as STANDARD_IA or INTELLIGENT_TIERING.",
    )
    sse_kms_key_id: str | None = Field(
        default=None,
        title="KMS key",
        description="The KMS key that encrypts objects; by default the bucket's own setting applies.",
    )
    tags: dict[str, str] = Field(
        default_factory=dict, title="Tags", description="Up to ten tags for each video and poster."
    )
    monthly_limit_usd: Decimal | None = Field(
        default=None,
        gt=0,
        title="Monthly limit",
        description="The most that all runs together may spend in a calendar month (UTC), in US dollars.",
    )
    link_hours: float = Field(
        default=LINK_HOURS,
        ge=0,
        le=MOST_LINK_HOURS,
        title="Hours of links",
        description=(
            "How long links in artifacts work, in hours, at most 168; with 0 artifacts have no links. "
            "A folder has no links."
        ),
    )
    credentials: AwsCredentials | MinIOCredentials | None = Field(
        default=None,
        title="Credentials",
        description="AWS or MinIO credentials; by default boto3 looks in its usual places.",
    )

    @field_validator("bucket", "folder", mode="before")
    @classmethod
    def _blank_is_none(cls, value: object) -> object:
        """A form sends an emptied field as empty text."""
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("bucket")
    @classmethod
    def _bucket_is_a_name(cls, value: str | None) -> str | None:
        try:
            return None if value is None else check_bucket(value)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error

    @field_validator("folder")
    @classmethod
    def _folder_is_a_path(cls, value: str | None) -> str | None:
        try:
            # Stored as given: the machine that opens the archive, perhaps a worker, expands ~ for its own user.
            return None if value is None else (check_folder(value) and value.strip())
        except ConfigurationError as error:
            raise ValueError(str(error)) from error

    @field_validator("prefix")
    @classmethod
    def _prefix_is_a_path(cls, value: str) -> str:
        try:
            return check_prefix(value)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error

    @field_validator("template")
    @classmethod
    def _template_names_each_video(cls, value: str) -> str:
        try:
            return check_template(value)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error

    @field_validator("storage_class")
    @classmethod
    def _storage_class_can_be_read(cls, value: str | None) -> str | None:
        if value is not None and value.upper() in {"GLACIER", "DEEP_ARCHIVE"}:
            raise ValueError(
                f"objects in {value} cannot be read back at once; use a lifecycle rule to move them there instead"
            )
        return value

    @field_validator("tags")
    @classmethod
    def _tags_are_few(cls, value: dict[str, str]) -> dict[str, str]:
        if len(value) > 10:
            raise ValueError("S3 accepts at most 10 tags per object")
        return value

    @field_validator("credentials", mode="before")
    @classmethod
    def _credentials_keep_their_kind(cls, value: object) -> object:
        """Blocks ignore unknown fields, so pydantic would read stored MinIO keys as empty AWS credentials."""
        if isinstance(value, Mapping) and "minio_root_user" in value:
            return MinIOCredentials.model_validate(dict(value))
        return value

    @model_validator(mode="after")
    def _is_in_one_place(self) -> Self:
        if (self.bucket is None) == (self.folder is None):
            raise ValueError("give either a bucket or a folder")
        if self.folder is not None:
            if self.storage_class or self.sse_kms_key_id or self.tags or self.credentials:
                raise ValueError(
                    "storage class, KMS key, tags and credentials belong to a bucket, not to a folder"
                )
            try:
                check_name_in_folder(self.prefix, "prefix")
                check_name_in_folder(self.template, "file name template")
            except ConfigurationError as error:
                raise ValueError(str(error)) from error
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Prefect accepts a block by its fields or by `{"$ref": …}`, never by both: a reference must not be valid as a
        block without any fields. When it deploys, it removes `required` from a schema and does not know references, so
        nothing else may refuse one. Its first UI ignores most of a schema, but not properties and `required`.
        """
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        whole = handler.resolve_ref_schema(schema)
        whole["properties"]["$ref"] = {"type": "object", "required": [_NO_FIELD]}
        return schema

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """The schema for Prefect's form of the block itself: its fields."""
        schema = super().model_json_schema(*args, **options)
        schema["properties"].pop("$ref", None)
        return schema

    @classmethod
    def from_env(cls, folder: str | Path | None = None) -> Self:
        """From VIDEO_ARCHIVE_BUCKET or VIDEO_ARCHIVE_FOLDER, VIDEO_ARCHIVE_PREFIX, VIDEO_ARCHIVE_MONTHLY_LIMIT_USD
        and VIDEO_ARCHIVE_LINK_HOURS. The keys and the endpoint of a bucket are boto3's AWS_* variables.

        Args:
            folder: a folder instead of the bucket or folder that the environment names.

        Raises:
            ConfigurationError: neither or both are set, the prefix is not a plain path, the limit is not an amount, or
                the hours are not from 0 to 168.
        """
        found = archive_from_env(folder)
        try:
            return cls(**found.model_dump(exclude_unset=True))
        except ValidationError as error:
            raise ConfigurationError(f"{error.errors()[0]['msg'].removeprefix('Value error, ')}") from error

    @property
    def place(self) -> ArchivePlace:
        """Which bucket or folder it is, as seen from the machine that runs this."""
        folder = None if self.folder is None else check_folder(self.folder)
        return ArchivePlace(bucket=self.bucket, folder=folder)

    @property
    def layout(self) -> Layout:
        return Layout(prefix=self.prefix, template=self.template)

    @asynccontextmanager
    async def open(self, *, attempts: int = 5) -> AsyncIterator[Ledger]:
        """The ledger in this bucket, over one S3 client that all threads share and that sends a call up to `attempts`
        times; or the ledger in this folder.

        Raises:
            ConfigurationError: boto3 finds no credentials, no region or no such profile.
        """
        store = self._folder_store() if self.bucket is None else self._object_store(self.bucket, attempts)
        try:
            yield Ledger(store, self.layout, monthly_limit=self.monthly_limit_usd, link_hours=self.link_hours)
        finally:
            store.close()

    def _folder_store(self) -> Store:
        # `~` and relative paths are those of the machine that opens it.
        return FolderStore(self.place.location)

    def _object_store(self, bucket: str, attempts: int) -> Store:
        storage = Storage(
            storage_class=self.storage_class,
            sse_kms_key_id=self.sse_kms_key_id,
            tags=tuple(self.tags.items()),
        )
        return open_bucket(bucket, self.credentials, storage, attempts=attempts)
