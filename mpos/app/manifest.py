"""Manifest: what an app's folder says about the app, in manifest.json.

    {"name": "Download demo", "package": "demo_download", "version": "1.0.0",
     "entry": "demo_download:DemoDownload"}

`entry` is the module in the app's folder and the Activity in it.
"""

import json

_FIELDS = ("name", "package", "version", "entry")


class ManifestError(ValueError):
    """The manifest is missing or wrong; the message names the file, the field and the remedy."""


class Manifest:
    """The fields of an app's manifest.json, checked: `name`, `package`, `version`, `module`, `activity`."""

    def __init__(self, folder, fields):
        for field in _FIELDS:
            value = fields.get(field)
            if not isinstance(value, str) or not value:
                raise ManifestError('%s/manifest.json: "%s" is missing or no text' % (folder, field))
        module, colon, activity = fields["entry"].partition(":")
        if not (module and colon and activity):
            raise ManifestError(
                '%s/manifest.json: "entry" is "%s", it must be "module:Activity"' % (folder, fields["entry"])
            )
        self.folder = folder
        self.name = fields["name"]
        self.package = fields["package"]
        self.version = fields["version"]
        self.module = module
        self.activity = activity

    @staticmethod
    def load(folder):
        """Read the manifest of the app in `folder`. Raises ManifestError."""
        path = folder + "/manifest.json"
        try:
            with open(path) as file:
                fields = json.load(file)
        except OSError:
            raise ManifestError("%s is not there: is the app installed?" % path)
        except ValueError:
            raise ManifestError("%s is no valid JSON" % path)
        if not isinstance(fields, dict):
            raise ManifestError("%s must be a JSON object" % path)
        return Manifest(folder, fields)
