# Installs the restic-manager agent on Windows, or upgrades it. Windows PowerShell 5.1 or newer, as administrator.
#
#   $env:RM_SERVER='https://SERVER'; $env:RM_TOKEN='...'; irm https://SERVER/install/install.ps1 | iex     join with a token
#   $env:RM_SERVER='https://SERVER'; irm https://SERVER/install/install.ps1 | iex                          wait for approval
#   & ([scriptblock]::Create((irm https://SERVER/install/install.ps1))) -Uninstall                         remove it all
#
# Run again it is an upgrade: what this machine is to the server stays, unless there is a new token. The agent does the rest: see its install command.
param([switch]$Uninstall)

$folder = Join-Path $env:ProgramFiles 'restic-manager'
$agent = Join-Path $folder 'restic-manager-agent.exe'
$nssm = Join-Path $folder 'nssm.exe'

function Test-Elevation {
  $me = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
  if (-not $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
    throw 'This needs administrator rights. Open PowerShell with "Run as administrator" and try again.'
  }
}

# From RM_SERVER, or where this machine belongs already.
function Get-ServerAddress {
  $address = $env:RM_SERVER
  $file = Join-Path $env:ProgramData 'restic-manager\agent.yaml'
  if (-not $address -and (Test-Path $file)) {
    $line = Get-Content $file | Where-Object { $_ -match '^server: *(.+)$' } | Select-Object -First 1
    $address = ($line -replace '^server: *', '').Trim('"', "'", ' ')
  }
  if ($address -notmatch '^https?://[^/?#]+/?$') {
    throw 'Set $env:RM_SERVER to the address of the server, such as https://backup.example.org.'
  }
  return $address.TrimEnd('/')
}

# Downloads beside the target, and compares with the checksum of the server.
function Get-Checked($Url, $ChecksumUrl, $Path) {
  # The bar of 5.1 makes a download many times slower.
  $ProgressPreference = 'SilentlyContinue'
  Write-Host "Downloading $Url"
  $wanted = ([string](Invoke-RestMethod -UseBasicParsing -Uri $ChecksumUrl)).Trim()
  Invoke-WebRequest -UseBasicParsing -Uri $Url -OutFile $Path
  $actual = (Get-FileHash -Algorithm SHA256 -Path $Path).Hash
  if ($wanted.Length -ne 64 -or $actual -ne $wanted) {
    Remove-Item -Force $Path
    throw "What came from $Url does not have the checksum of the server. Nothing was installed."
  }
}

# 3: all but the token, which was refused, on a machine that is a host already and goes on as that.
function Invoke-Agent($Command) {
  & $agent $Command
  $script:tokenRefused = $Command -eq 'install' -and $LASTEXITCODE -eq 3
  if ($LASTEXITCODE -ne 0 -and -not $script:tokenRefused) {
    throw "restic-manager-agent $Command failed; its message stands above."
  }
}

# Two programs that back up one machine do no harm, but nobody wants both. They are only shown.
function Show-OtherTasks {
  $lines = schtasks.exe /Query /FO CSV /NH | Where-Object { $_ -match '^"[^"]*restic' }
  $names = $lines | ForEach-Object { ($_ -split '"')[1] } | Select-Object -Unique
  if ($names) {
    Write-Host 'Scheduled tasks that mention restic were left as they are. These commands would turn them off:'
    foreach ($name in $names) {
      Write-Host "  schtasks.exe /Change /TN `"$name`" /DISABLE"
    }
  }
}

function Install-Agent {
  $server = Get-ServerAddress
  $env:RM_SERVER = $server
  if (-not (Test-Path $folder)) {
    New-Item -ItemType Directory -Path $folder | Out-Null
  }
  Get-Checked "$server/agent/binary?os=windows&arch=x64" "$server/agent/binary.sha256?os=windows&arch=x64" "$agent.new"
  Get-Checked "$server/install/nssm.exe" "$server/install/nssm.exe.sha256" "$nssm.new"
  if (Test-Path $agent) {
    Write-Host 'Stopping the agent that is here'
    & $agent stop
  }
  Move-Item -Force "$agent.new" $agent
  Move-Item -Force "$nssm.new" $nssm
  Invoke-Agent 'install'
  $refused = $script:tokenRefused
  Remove-Item -ErrorAction SilentlyContinue Env:RM_TOKEN
  Invoke-Agent 'start'
  & $agent status
  Show-OtherTasks
  if ($refused) {
    throw 'The token was refused, so this machine stays what it was. Why stands above.'
  }
}

function Uninstall-Agent {
  if (-not (Test-Path $agent)) {
    throw "$agent is not there: nothing to remove."
  }
  Invoke-Agent 'uninstall'
  Remove-Item -Force $agent, $nssm
  if (Get-ChildItem $folder) {
    Write-Host "Left because of what else is in it: $folder"
  } else {
    Remove-Item -Force $folder
  }
  Write-Host 'The agent is removed. Snapshots stay in their repository; remove the host in the web UI as well.'
}

# Everything happens here, so that a script of which only a part arrived does nothing.
function Invoke-Main {
  $ErrorActionPreference = 'Stop'
  [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
  Test-Elevation
  if ($Uninstall) {
    Uninstall-Agent
  } else {
    Install-Agent
  }
}

Invoke-Main
