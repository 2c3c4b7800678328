#include "inspect/rules/libraries.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string>

namespace nasm_build::inspect {

namespace {

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

std::optional<unsigned> take_number(std::string_view& text) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

// glibc's own libraries (the list of its installed sonames); the loader's name differs by machine.
constexpr auto glibc = std::to_array<std::string_view>(
    {"libc.so.6", "libm.so.6", "libmvec.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1",
     "libresolv.so.2", "libnsl.so.1", "libanl.so.1", "libBrokenLocale.so.1", "libthread_db.so.1"});

// Libraries beside glibc whose version scripts leave no symbol without a version.
constexpr auto versioned = std::to_array<std::string_view>(
    {"libgcc_s.so.1", "libstdc++.so.6", "libgomp.so.1", "libatomic.so.1", "libquadmath.so.0", "libcrypt.so.1"});

// The parts of Windows that every installation has, and the C runtime that CPython itself brings or needs.
constexpr auto windows_prefixes =
    std::to_array<std::string_view>({"api-ms-win-", "ext-ms-win-", "ucrtbase", "vcruntime140"});
constexpr auto windows_libraries = std::to_array<std::string_view>(
    {"aclui.dll",       "activeds.dll",      "advapi32.dll",       "advpack.dll",    "authz.dll",
     "avicap32.dll",    "avifil32.dll",      "avrt.dll",           "bcrypt.dll",     "bcryptprimitives.dll",
     "bthprops.cpl",    "cabinet.dll",       "cfgmgr32.dll",       "clusapi.dll",    "combase.dll",
     "comctl32.dll",    "comdlg32.dll",      "credui.dll",         "crypt32.dll",    "cryptbase.dll",
     "cryptnet.dll",    "cryptui.dll",       "d2d1.dll",           "d3d10.dll",      "d3d11.dll",
     "d3d12.dll",       "d3d9.dll",          "d3dcompiler_47.dll", "davclnt.dll",    "dbgeng.dll",
     "dbghelp.dll",     "dcomp.dll",         "dhcpcsvc.dll",       "dnsapi.dll",     "dsound.dll",
     "dwmapi.dll",      "dwrite.dll",        "dxgi.dll",           "dxva2.dll",      "esent.dll",
     "evr.dll",         "fwpuclnt.dll",      "gdi32.dll",          "gdiplus.dll",    "glu32.dll",
     "hid.dll",         "hlink.dll",         "httpapi.dll",        "icmp.dll",       "imagehlp.dll",
     "imm32.dll",       "iphlpapi.dll",      "kernel32.dll",       "kernelbase.dll", "ktmw32.dll",
     "loadperf.dll",    "lz32.dll",          "mapi32.dll",         "mf.dll",         "mfplat.dll",
     "mfreadwrite.dll", "mpr.dll",           "msacm32.dll",        "msi.dll",        "msimg32.dll",
     "msvcp_win.dll",   "msvcrt.dll",        "msvfw32.dll",        "mswsock.dll",    "ncrypt.dll",
     "netapi32.dll",    "normaliz.dll",      "ntdll.dll",          "ntdsapi.dll",    "odbc32.dll",
     "odbccp32.dll",    "ole32.dll",         "oleacc.dll",         "oleaut32.dll",   "oledlg.dll",
     "opengl32.dll",    "pdh.dll",           "powrprof.dll",       "propsys.dll",    "psapi.dll",
     "query.dll",       "rasapi32.dll",      "resutils.dll",       "rpcrt4.dll",     "rstrtmgr.dll",
     "secur32.dll",     "sensapi.dll",       "setupapi.dll",       "sfc.dll",        "shcore.dll",
     "shell32.dll",     "shlwapi.dll",       "sspicli.dll",        "taskschd.dll",   "tdh.dll",
     "traffic.dll",     "urlmon.dll",        "user32.dll",         "userenv.dll",    "usp10.dll",
     "uxtheme.dll",     "version.dll",       "virtdisk.dll",       "vssapi.dll",     "wer.dll",
     "wevtapi.dll",     "windowscodecs.dll", "winhttp.dll",        "wininet.dll",    "winmm.dll",
     "winscard.dll",    "winspool.drv",      "wintrust.dll",       "winusb.dll",     "wlanapi.dll",
     "wldap32.dll",     "ws2_32.dll",        "wsock32.dll",        "wtsapi32.dll",   "xinput1_4.dll",
     "xmllite.dll"});

template <std::size_t count>
bool is_one_of(const std::array<std::string_view, count>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_glibc(std::string_view name) {
    return is_one_of(glibc, name) || name.starts_with("ld-linux") || name.starts_with("ld64.so.");
}

bool is_musl(std::string_view name) {
    return name.starts_with("libc.musl-") || name.starts_with("ld-musl-") || name == "libc.so";
}

}  // namespace

std::string lower(std::string_view text) {
    std::string copy(text);
    std::transform(copy.begin(), copy.end(), copy.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return copy;
}

std::string_view base_name(std::string_view path) noexcept {
    const std::size_t slash = path.find_last_of("/\\");
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool is_libpython(std::string_view library) noexcept {
    if (library.find("Python.framework/") != std::string_view::npos ||
        library.find("Python3.framework/") != std::string_view::npos ||
        library.find("PythonT.framework/") != std::string_view::npos) {
        return true;
    }
    std::string_view name = base_name(library);
    if (!take(name, "libpython") || name.empty() || name.front() < '2' || name.front() > '9') {
        return false;
    }
    return name.find(".so") != std::string_view::npos || name.ends_with(".dylib");
}

std::optional<toolchain::PythonBuild> libpython_build(std::string_view library) noexcept {
    std::string_view rest = base_name(library);
    const bool is_framework = !take(rest, "libpython");
    if (is_framework) {
        const std::string_view versions = "/Versions/";
        const std::size_t place = library.find(versions);
        if (place == std::string_view::npos) {
            return std::nullopt;
        }
        rest = library.substr(place + versions.size());
    }
    const std::optional<unsigned> major = take_number(rest);
    if (!major || !take(rest, ".")) {
        return std::nullopt;
    }
    const std::optional<unsigned> minor = take_number(rest);
    if (!minor) {
        return std::nullopt;
    }
    toolchain::PythonBuild build;
    build.version = {*major, *minor};
    build.free_threaded = is_framework ? base_name(library) == "PythonT" : take(rest, "t");
    build.debug = !is_framework && take(rest, "d");
    return build;
}

std::optional<PythonDll> parse_python_dll(std::string_view library) noexcept {
    const std::string name = lower(base_name(library));
    std::string_view rest = name;
    PythonDll dll;
    if (!take(rest, "python3")) {
        return std::nullopt;
    }
    if (const std::optional<unsigned> minor = take_number(rest)) {
        dll.version = toolchain::PythonVersion{3, *minor};
    }
    dll.free_threaded = take(rest, "t");
    dll.debug = take(rest, "_d");
    return rest == ".dll" ? std::optional(dll) : std::nullopt;
}

bool versions_all_symbols(std::string_view library) noexcept {
    const std::string_view name = base_name(library);
    return is_glibc(name) || is_one_of(versioned, name) || name.starts_with("libgfortran.so.");
}

bool is_system_library(Format format, std::string_view library) noexcept {
    const std::string_view name = base_name(library);
    switch (format) {
        case Format::elf:
            return is_glibc(name) || is_musl(name);
        case Format::macho:
            return library.starts_with("/usr/lib/libSystem.");
        case Format::pe:
            break;
    }
    const std::string small = lower(name);
    return is_one_of(windows_libraries, small) ||
           std::any_of(windows_prefixes.begin(), windows_prefixes.end(),
                       [&](std::string_view prefix) { return small.starts_with(prefix); });
}

}  // namespace nasm_build::inspect
