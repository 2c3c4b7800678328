// run_process() by CreateProcess, with a job object that holds the program and everything it starts.
#include <algorithm>
#include <array>
#include <string>
#include <thread>

#include "base/process.hpp"
#include "base/windows_text.hpp"

namespace nasm_build {

namespace {

class Handle {
public:
    explicit Handle(HANDLE handle = nullptr) : handle_(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    Handle(Handle&&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() { close(); }

    [[nodiscard]] HANDLE get() const { return handle_; }
    [[nodiscard]] bool is_open() const { return handle_ != nullptr; }
    [[nodiscard]] HANDLE* receive() { return &handle_; }
    void close() {
        if (handle_ != nullptr) {
            CloseHandle(handle_);
            handle_ = nullptr;
        }
    }

private:
    HANDLE handle_;
};

// One word as CommandLineToArgvW and the C runtime take it apart again: backslashes count double before a quotation
// mark only.
std::wstring quoted(const std::wstring& word) {
    if (!word.empty() && word.find_first_of(L" \t\n\v\"") == std::wstring::npos) {
        return word;
    }
    std::wstring text = L"\"";
    std::size_t backslashes = 0;
    for (const wchar_t letter : word) {
        if (letter == L'\\') {
            ++backslashes;
            continue;
        }
        text.append(letter == L'"' ? 2 * backslashes + 1 : backslashes, L'\\');
        backslashes = 0;
        text.push_back(letter);
    }
    text.append(2 * backslashes, L'\\');
    text.push_back(L'"');
    return text;
}

std::wstring command_line(const std::vector<std::string>& words) {
    std::wstring line;
    for (const std::string& word : words) {
        if (!line.empty()) {
            line.push_back(L' ');
        }
        line += quoted(to_wide(word));
    }
    return line;
}

// The list of the only handles that the program may inherit: without it, it would get every inheritable one.
class InheritedHandles {
public:
    explicit InheritedHandles(std::array<HANDLE, 2> handles) : handles_(handles) {
        SIZE_T size = 0;
        InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
        memory_.resize(size);
        ready_ = InitializeProcThreadAttributeList(list(), 1, 0, &size) != 0;
        ready_ = ready_ && UpdateProcThreadAttribute(list(), 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles_.data(),
                                                     sizeof(HANDLE) * handles_.size(), nullptr, nullptr) != 0;
    }
    InheritedHandles(const InheritedHandles&) = delete;
    InheritedHandles& operator=(const InheritedHandles&) = delete;
    InheritedHandles(InheritedHandles&&) = delete;
    InheritedHandles& operator=(InheritedHandles&&) = delete;
    ~InheritedHandles() {
        if (ready_) {
            DeleteProcThreadAttributeList(list());
        }
    }

    [[nodiscard]] bool ready() const { return ready_; }
    [[nodiscard]] LPPROC_THREAD_ATTRIBUTE_LIST list() {
        return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
    }

private:
    std::array<HANDLE, 2> handles_;
    std::vector<char> memory_;
    bool ready_ = false;
};

// Closing the job ends whatever is in it, even when this process is killed.
bool limit_to_our_life(HANDLE job) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    return SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits) != 0;
}

struct Started {
    Handle process;
    Handle thread;
};

// Starts the program suspended, puts it into the job, and lets it run: so nothing it starts can be outside.
bool start(const std::vector<std::string>& words, HANDLE input, HANDLE output, HANDLE job, Started& started) {
    InheritedHandles inherited({input, output});
    STARTUPINFOEXW startup{};
    startup.StartupInfo.cb = sizeof startup;
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    startup.StartupInfo.hStdInput = input;
    startup.StartupInfo.hStdOutput = output;
    startup.StartupInfo.hStdError = output;
    startup.lpAttributeList = inherited.list();
    PROCESS_INFORMATION information{};
    std::wstring line = command_line(words);
    if (!inherited.ready() || CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE,
                                             CREATE_SUSPENDED | CREATE_NO_WINDOW | EXTENDED_STARTUPINFO_PRESENT,
                                             nullptr, nullptr, &startup.StartupInfo, &information) == 0) {
        return false;
    }
    *started.process.receive() = information.hProcess;
    *started.thread.receive() = information.hThread;
    if (AssignProcessToJobObject(job, information.hProcess) == 0) {
        const DWORD why = GetLastError();
        TerminateProcess(information.hProcess, 1);
        SetLastError(why);
        return false;
    }
    ResumeThread(information.hThread);
    return true;
}

void read_all(HANDLE pipe, std::string& output, std::size_t limit) {
    std::array<char, 4096> buffer{};
    DWORD count = 0;
    while (ReadFile(pipe, buffer.data(), static_cast<DWORD>(buffer.size()), &count, nullptr) != 0 && count > 0) {
        output.append(buffer.data(), std::min<std::size_t>(count, limit - output.size()));
    }
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& words, std::chrono::milliseconds limit_time,
                          std::size_t limit) {
    ProcessResult result;
    SECURITY_ATTRIBUTES inheritable{sizeof(SECURITY_ATTRIBUTES), nullptr, TRUE};
    Handle read_end;
    Handle write_end;
    Handle job(CreateJobObjectW(nullptr, nullptr));
    Handle nothing(
        CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, &inheritable, OPEN_EXISTING, 0, nullptr));
    Started started;
    if (words.empty() || !job.is_open() || !limit_to_our_life(job.get()) || !nothing.is_open() ||
        CreatePipe(read_end.receive(), write_end.receive(), &inheritable, 0) == 0 ||
        SetHandleInformation(read_end.get(), HANDLE_FLAG_INHERIT, 0) == 0 ||
        !start(words, nothing.get(), write_end.get(), job.get(), started)) {
        result.status = static_cast<int>(words.empty() ? ERROR_INVALID_PARAMETER : GetLastError());
        return result;
    }
    write_end.close();
    std::thread reader([&] { read_all(read_end.get(), result.output, limit); });
    const bool ended =
        WaitForSingleObject(started.process.get(), static_cast<DWORD>(limit_time.count())) == WAIT_OBJECT_0;
    DWORD status = 0;
    GetExitCodeProcess(started.process.get(), &status);
    // Ends the program, or what it left running: then nobody holds the pipe, and the reader comes to its end.
    TerminateJobObject(job.get(), 1);
    reader.join();
    result.end = ended ? ProcessResult::End::exited : ProcessResult::End::timed_out;
    result.status = ended ? static_cast<int>(status) : 0;
    return result;
}

std::string system_message(int status) {
    std::array<wchar_t, 512> buffer{};
    const DWORD length =
        FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, static_cast<DWORD>(status),
                       0, buffer.data(), static_cast<DWORD>(buffer.size()), nullptr);
    std::string message = to_utf8({buffer.data(), length});
    // `%1 is not a valid Win32 application.`: the file's name is not ours to put in.
    if (const std::size_t insert = message.find("%1"); insert != std::string::npos) {
        message.replace(insert, 2, "the file");
    }
    while (!message.empty() && (message.back() == '\n' || message.back() == '\r' || message.back() == '.')) {
        message.pop_back();
    }
    return message.empty() ? "Windows error " + std::to_string(status) : message;
}

std::string signal_name(int signal) {
    return "signal " + std::to_string(signal);
}

}  // namespace nasm_build
