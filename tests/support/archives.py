"""Prints as JSON what a folder, a tar or a zip holds: [path in hex, type, mode, seconds, sha256 or target in hex], names byte by byte."""
import hashlib, json, os, stat, struct, sys, tarfile, zipfile

def digest(data):
    return hashlib.sha256(data).hexdigest()

def folder(root):
    root = os.fsencode(root)
    for parent, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(parent, name)
            info = os.lstat(path)
            kind, what = "other", ""
            if stat.S_ISLNK(info.st_mode): kind, what = "link", os.readlink(path).hex()
            elif stat.S_ISDIR(info.st_mode): kind = "folder"
            elif stat.S_ISREG(info.st_mode): kind, what = "file", digest(open(path, "rb").read())
            yield [path.lstrip(b"/").hex(), kind, stat.S_IMODE(info.st_mode), int(info.st_mtime_ns // 10**9), what]

def tar(path):
    with tarfile.open(path, encoding="utf-8", errors="surrogateescape") as archive:
        for each in archive:
            name = each.name.encode("utf-8", "surrogateescape").hex()
            if each.issym(): yield [name, "link", each.mode, int(each.mtime // 1), each.linkname.encode("utf-8", "surrogateescape").hex()]
            elif each.isdir(): yield [name, "folder", each.mode, int(each.mtime // 1), ""]
            else: yield [name, "file", each.mode, int(each.mtime // 1), digest(archive.extractfile(each).read())]

def zipped(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for each in archive.infolist():
            name = each.orig_filename.encode("utf-8" if each.flag_bits & 0x800 else "cp437")
            mode = each.external_attr >> 16
            extra, seconds = each.extra, None
            while len(extra) >= 4:
                kind, size = struct.unpack("<HH", extra[:4])
                if kind == 0x5455: seconds = struct.unpack("<i", extra[5:9])[0]
                extra = extra[4 + size:]
            data = archive.open(each).read()
            if stat.S_ISLNK(mode): yield [name.hex(), "link", stat.S_IMODE(mode), seconds, data.hex()]
            elif stat.S_ISDIR(mode): yield [name.rstrip(b"/").hex(), "folder", stat.S_IMODE(mode), seconds, ""]
            else: yield [name.hex(), "file", stat.S_IMODE(mode), seconds, digest(data)]

print(json.dumps(sorted({"folder": folder, "tar": tar, "zip": zipped}[sys.argv[1]](sys.argv[2]))))
